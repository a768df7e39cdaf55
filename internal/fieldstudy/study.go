package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// What is used of the JSON of srhtvet compat; docs/json.md has all of it.
type (
	document struct {
		Services []*service `json:"services"`
	}
	service struct {
		Dir       string               `json:"dir"`
		Pending   []string             `json:"pending"`
		Cells     map[string]cell      `json:"cells"`
		Findings  []*finding           `json:"findings"`
		Coverage  map[string]coverage  `json:"coverage"`
		Unchecked map[string][]missing `json:"unchecked"`
	}
	cell     struct{ Checked, Broken int }
	coverage struct{ Found, Checked int }
	missing  struct{ Reason string }
	finding  struct {
		Rule, Severity, Cell, Schema, Message string
		Query                                 struct {
			File      string
			Line      int
			SQL, Func string
		}
		Cause struct {
			File string
			Line int
			SQL  string
		}
	}
)

// study is what has been judged so far.
type study struct {
	cfg     config
	history *history
	rows    []row
}

// row is one pair, or one service of it.
type row struct {
	number  string // of the pair; with -prefixes, of the release in it
	pair    pair
	failed  string // why the pair could not be judged
	service *service
	took    time.Duration
}

// judge runs the tool on a pair, and on the releases in between if that is wanted.
func (s *study) judge(ctx context.Context, number int, p pair) error {
	services, err := s.compat(ctx, fmt.Sprint(number), p)
	if err != nil || !s.cfg.prefixes {
		return err
	}
	for _, sv := range services {
		for i := 1; i < len(sv.Pending); i++ {
			files := make([]string, i)
			for j := range files {
				files[j] = path.Join(s.cfg.dir, sv.Pending[j])
			}
			commit, err := s.history.with(ctx, p, files)
			if err != nil {
				return err
			}
			between := pair{p.old, commit, fmt.Sprintf("the code of %s with %s", p.old, path.Base(files[i-1]))}
			if _, err := s.compat(ctx, fmt.Sprintf("%d.%d", number, i), between); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *study) compat(ctx context.Context, number string, p pair) ([]*service, error) {
	args := append([]string{"compat", "-old", p.old, "-new", p.new}, s.cfg.flags...)
	dir := filepath.Join(s.history.dir, filepath.FromSlash(s.cfg.dir))
	start := time.Now()
	out, said, err := s.srhtvet(ctx, append(args, "-q", "-format", "json", dir)...)
	took := time.Since(start)
	if err != nil {
		return nil, err
	}
	if out == nil {
		s.rows = append(s.rows, row{number: number, pair: p, failed: said, took: took})
		return nil, nil
	}
	var doc document
	if err := json.Unmarshal(out, &doc); err != nil {
		return nil, fmt.Errorf("reading the report on %s..%s: %w", p.old, p.new, err)
	}
	var services []*service
	for _, sv := range doc.Services {
		if len(sv.Pending) > 0 || len(sv.Findings) > 0 {
			services = append(services, sv)
			s.rows = append(s.rows, row{number, p, "", sv, took})
		}
	}
	if s.cfg.out == "" || len(services) == 0 {
		return services, nil
	}
	text, _, err := s.srhtvet(ctx, append(args, "-severity", "info", dir)...)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.cfg.out, 0o755); err != nil {
		return nil, err
	}
	name := filepath.Join(s.cfg.out, number+"-"+strings.ReplaceAll(p.new, "/", "-"))
	return services, errors.Join(os.WriteFile(name+".json", out, 0o644), os.WriteFile(name+".txt", text, 0o644))
}

// srhtvet runs the tool. out is nil when the tool could not judge, and said is why.
func (s *study) srhtvet(ctx context.Context, args ...string) (out []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, s.cfg.tool, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		if exit.ExitCode() == 1 || stdout.Len() > 0 {
			return stdout.Bytes(), stderr.String(), nil
		}
		return nil, strings.TrimSpace(stderr.String()), nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("srhtvet %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes(), stderr.String(), nil
}
