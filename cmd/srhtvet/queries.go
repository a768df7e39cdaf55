package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

func queriesCommand() command {
	return command{
		name: "queries", args: "[-rev REV] [-format text|json] [dir]", summary: "list the SQL that Go and Python code sends",
		about: `Lists every place in the code below a directory that sends SQL, or names a constraint or an index, and what it sends:
of a builder (squirrel) or a model (core-go, SQLAlchemy) the SQL that it stands for. The code is read, not run, and need
not compile: what could not be seen is said.

A place is
  static   one text, known to the byte
  finite   one of finitely many texts, all of them listed
  partial  what is listed is sent; something else may be added at run time
  dynamic  nothing is known
and all but the dynamic ones can be checked against a schema (srhtvet compat does that).

With -rev the code is that of a git revision; the work tree and the index are left alone.`,
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			q := &queriesRun{terminal: t}
			fs.StringVar(&q.rev, "rev", "", "read this git `REVISION` instead of the files that are there")
			fs.StringVar(&q.format, "format", "text", "print the list as `FORMAT`: text, json")
			return q.run
		},
	}
}

type queriesRun struct {
	*terminal
	rev, format string
}

// The JSON document of the command. Fields are only ever added.
type (
	queriesDocument struct {
		Version   int            `json:"version"`
		Queries   []queriesQuery `json:"queries"`
		Found     int            `json:"found"`
		Checkable int            `json:"checkable"`
		Gaps      []queriesGap   `json:"gaps"`
	}
	queriesQuery struct {
		File     string   `json:"file"`
		Line     int      `json:"line"`
		Column   int      `json:"column"`
		Lang     string   `json:"lang"`
		Kind     string   `json:"kind"`
		Func     string   `json:"func"`
		Module   string   `json:"module"`
		Variants []string `json:"variants"`
		Names    []string `json:"names"`
		Status   string   `json:"status"`
		Reason   string   `json:"reason"`
		// Gates has as many elements as Variants, or none.
		Gates []queriesGate `json:"gates"`
	}
	queriesGate struct {
		AtLeast int64 `json:"atLeast"`
		Below   int64 `json:"below"`
		Retried bool  `json:"retried"`
	}
	queriesGap struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Reason string `json:"reason"`
	}
)

func (q *queriesRun) run(args []string) int {
	if q.format != "text" && q.format != "json" {
		return q.fail("unknown format %q: use text or json", q.format)
	}
	dir, err := q.directory(args)
	if err != nil {
		return q.fail("%v", err)
	}
	code, err := q.read(dir)
	if err == nil && len(code.Sites) == 0 {
		if _, why := gitrepo.Open(context.Background(), dir); errors.Is(why, gitrepo.ErrBare) {
			err = why
		}
	}
	if err != nil {
		return q.fail("%v", err)
	}
	doc := queriesDocument{Version: 1, Queries: []queriesQuery{}, Gaps: []queriesGap{}, Found: len(code.Sites)}
	for i := range code.Sites {
		s := &code.Sites[i]
		if s.Status != query.Dynamic {
			doc.Checkable++
		}
		doc.Queries = append(doc.Queries, queryOf(s))
	}
	slices.SortStableFunc(doc.Queries, func(a, b queriesQuery) int {
		if (a.Module == "") != (b.Module == "") {
			return cmp.Compare(len(a.Module), len(b.Module)) // those of dependencies last
		}
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	for _, g := range code.Gaps {
		doc.Gaps = append(doc.Gaps, queriesGap{g.Pos.File, g.Pos.Line, g.Reason})
	}
	write := queriesText
	if q.format == "json" {
		write = func(w io.Writer, d *queriesDocument) error { return encode(w, d) }
	}
	if err := write(q.stdout, &doc); err != nil {
		return q.fail("writing: %v", err)
	}
	return exitClean
}

func (q *queriesRun) directory(args []string) (string, error) {
	if len(args) > 1 {
		return "", fmt.Errorf("queries takes one directory, not %d", len(args))
	}
	dir := "."
	if len(args) == 1 {
		dir = args[0]
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", bare(err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("queries takes a directory: %s is a file", dir)
	}
	return filepath.Abs(dir)
}

// read finds the queries of what is there, or of a revision.
func (q *queriesRun) read(dir string) (*compat.Code, error) {
	if q.rev == "" {
		return compat.ReadCode(q.ctx, dir)
	}
	repo, err := openRepository(q.ctx, "queries -rev", dir)
	if err != nil {
		return nil, err
	}
	commit, err := repo.Resolve(q.ctx, q.rev)
	if err != nil {
		return nil, fmt.Errorf("-rev: %w", err)
	}
	return compat.ReadRevision(q.ctx, repo, commit, dir)
}

func queryOf(s *query.Site) queriesQuery {
	q := queriesQuery{File: s.Pos.File, Line: s.Pos.Line, Column: s.Pos.Column, Lang: s.Lang, Kind: string(s.Kind), Func: s.Func,
		Module: s.Module, Variants: []string{}, Names: []string{}, Status: string(s.Status), Reason: s.Reason, Gates: []queriesGate{}}
	var gates []query.Gate
	for _, v := range s.Variants {
		if i := slices.Index(q.Variants, v.SQL); i >= 0 {
			gates[i] = gates[i].Or(v.Gate)
			continue
		}
		q.Variants, gates = append(q.Variants, v.SQL), append(gates, v.Gate)
	}
	if slices.ContainsFunc(gates, func(g query.Gate) bool { return g != query.Gate{} }) {
		for _, g := range gates {
			q.Gates = append(q.Gates, queriesGate(g))
		}
	}
	for _, n := range s.Names {
		q.Names = append(q.Names, n.Name)
	}
	return q
}

// gateText says at which schemas a text is sent, "" when nothing decides that.
func gateText(gates []queriesGate, i int) string {
	if i >= len(gates) {
		return ""
	}
	switch g := gates[i]; {
	case g.AtLeast != 0 && g.Below != 0:
		return fmt.Sprintf("  [from migration %d until %d]", g.AtLeast, g.Below)
	case g.AtLeast != 0:
		return fmt.Sprintf("  [from migration %d]", g.AtLeast)
	case g.Below != 0:
		return fmt.Sprintf("  [until migration %d]", g.Below)
	}
	return ""
}

// queriesText prints the list for people: the place, then what is sent, white space pressed together.
func queriesText(w io.Writer, doc *queriesDocument) error {
	b := bufio.NewWriter(w)
	count := map[string]int{}
	for _, q := range doc.Queries {
		count[q.Status]++
		fmt.Fprintf(b, "%s:%d:%d: %s", q.File, q.Line, q.Column, q.Status)
		if q.Kind != string(query.Statement) {
			fmt.Fprintf(b, " %s", q.Kind)
		}
		if q.Reason != "" {
			fmt.Fprintf(b, ": %s", q.Reason)
		}
		fmt.Fprintln(b)
		for i, sql := range q.Variants {
			fmt.Fprintf(b, "    %s%s\n", strings.Join(strings.Fields(sql), " "), gateText(q.Gates, i))
		}
		for _, n := range q.Names {
			fmt.Fprintf(b, "    constraint or index %s\n", n)
		}
	}
	for _, g := range doc.Gaps {
		at := ""
		if g.File != "" {
			at = g.File + ": "
			if g.Line > 0 {
				at = fmt.Sprintf("%s:%d: ", g.File, g.Line)
			}
		}
		fmt.Fprintf(b, "not seen: %s%s\n", at, g.Reason)
	}
	fmt.Fprintf(b, "%d found: %d static, %d finite, %d partial, %d dynamic\n", doc.Found, count["static"], count["finite"], count["partial"], count["dynamic"])
	return b.Flush()
}
