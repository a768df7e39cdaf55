// Command fieldstudy runs `srhtvet compat` over the history of a repository: every commit that touches migrations, against
// its parent, or every tag against the one before. It prints a table, a row for each service whose migrations are pending
// there or in which something breaks, and keeps every report, so that whoever judges the tool on real code can read them.
//
//	go run ./internal/fieldstudy [-out DIR] [-prefixes] [-draw 40 -seed 1] REPOSITORY [OLD..NEW …]
//
// The repository is only read: the work is done in a clone in a temporary directory. With -prefixes a pair that adds several
// migrations is also split into the releases that might have been: the old code with the first of them, with the first
// two, and so on. -draw picks findings at random for judging, the same ones for the same seed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

type config struct {
	repository string
	pairs      []string // OLD..NEW; none: from history
	tags       string   // a pattern: each tag that it matches against the one before, instead of commits
	since      string   // with tags, the first one; without, commits after this revision
	dir        string   // below the root of the repository: what is judged
	flags      []string // of srhtvet compat, besides
	tool       string   // srhtvet; "" to build it
	out        string   // where the reports are kept; "" for nowhere
	prefixes   bool
	draw       int
	seed       uint64
}

func main() {
	log.SetFlags(0)
	var cfg config
	var extra string
	flag.StringVar(&cfg.tags, "tags", "", "compare each tag that matches `PATTERN` with the one before, instead of commits with their parents")
	flag.StringVar(&cfg.since, "since", "", "leave out what is older than this `REVISION`")
	flag.StringVar(&cfg.dir, "dir", "", "judge this `DIRECTORY` of the repository")
	flag.StringVar(&extra, "migrations", "", "give srhtvet compat this -migrations `DIR`, relative to the directory")
	flag.StringVar(&cfg.tool, "tool", "", "the srhtvet `PROGRAM` (default: built from this module)")
	flag.StringVar(&cfg.out, "out", "", "keep the reports, as text and JSON, in this `DIRECTORY`")
	flag.BoolVar(&cfg.prefixes, "prefixes", false, "also judge the releases in between, when a pair adds several migrations")
	flag.IntVar(&cfg.draw, "draw", 0, "draw `N` findings at random and print them")
	flag.Uint64Var(&cfg.seed, "seed", 1, "the seed of the draw")
	flag.Parse()
	if flag.NArg() == 0 {
		log.Fatal("usage: fieldstudy [flags] REPOSITORY [OLD..NEW …]")
	}
	cfg.repository, cfg.pairs = flag.Arg(0), flag.Args()[1:]
	if extra != "" {
		cfg.flags = []string{"-migrations", extra}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, cfg, os.Stdout); err != nil {
		log.Fatal(err) //nolint:gocritic // there is nothing left to stop
	}
}

func run(ctx context.Context, cfg config, w io.Writer) (err error) {
	temp, err := os.MkdirTemp("", "fieldstudy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // what is left is in the directory for temporary files
	if cfg.tool == "" {
		cfg.tool = filepath.Join(temp, "srhtvet")
		if err := build(ctx, cfg.tool); err != nil {
			return err
		}
	}
	h, err := openHistory(ctx, cfg.repository, filepath.Join(temp, "repository"), cfg.dir)
	if err != nil {
		return err
	}
	pairs, err := h.pairs(ctx, cfg)
	if err != nil {
		return err
	}
	s := &study{cfg: cfg, history: h}
	for i, p := range pairs {
		if err := s.judge(ctx, i+1, p); err != nil {
			return err
		}
	}
	s.table(w)
	if cfg.draw > 0 {
		s.drawn(w)
	}
	return nil
}

func build(ctx context.Context, name string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", name, "git.sr.ht/~sourcehut/ha-go/cmd/srhtvet")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building srhtvet: %w", err)
	}
	return nil
}
