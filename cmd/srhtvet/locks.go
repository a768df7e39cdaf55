package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

func locksCommand() command {
	return command{
		name: "locks", args: "[-pg 15] [-schema FILE] [-format text|json] FILE…", summary: "print what each statement locks, rewrites and scans",
		about: `Prints for each SQL statement of the files the locks that it holds until its transaction ends, the tables and indexes
that it writes anew and the tables that it reads in full. The files are applied one after the other: what one creates is
there for the next. Of migrations, the way up is taken.

Without -schema a table that no statement created is taken for a plain one, without indexes, keys or triggers. System
catalogs, and what a statement itself creates, are left out.

The exit status is 2 when a file cannot be read or no statement of it parses, else 0: a single statement that fails, or
whose effect cannot be known, says so where it stands.`,
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			l := &locks{terminal: t}
			fs.IntVar(&l.pg, "pg", 15, "the major `VERSION` of PostgreSQL, 12 to 18")
			fs.StringVar(&l.schema, "schema", "", "start from the schema in this `FILE`")
			fs.StringVar(&l.format, "format", "text", "print the effects as `FORMAT`: text, json")
			fs.StringVar(&l.source, "source", "", "read the files as this migration `TOOL` does (default: detected)")
			return l.run
		},
	}
}

type locks struct {
	*terminal
	pg                     int
	schema, format, source string
}

// The JSON document of the command. Fields are only ever added.
type (
	locksDocument struct {
		Version    int              `json:"version"`
		Statements []locksStatement `json:"statements"`
	}
	locksStatement struct {
		File     string      `json:"file"`
		Line     int         `json:"line"`
		SQL      string      `json:"sql"`
		Locks    []locksLock `json:"locks"`
		Rewrites []string    `json:"rewrites"`
		Scans    []string    `json:"scans"`
		Error    string      `json:"error"`

		parsed bool
	}
	locksLock struct {
		Relation string `json:"relation"`
		Mode     string `json:"mode"`
	}
)

func (l *locks) run(paths []string) int {
	if len(paths) == 0 {
		return l.fail("locks takes the names of SQL files")
	}
	if l.format != "text" && l.format != "json" {
		return l.fail("unknown format %q: use text or json", l.format)
	}
	if err := errors.Join(settings.CheckVersion(l.pg), settings.CheckSource(l.source)); err != nil {
		return l.failEach(err)
	}
	place, err := locateFiles(paths)
	if err != nil {
		return l.fail("%v", err)
	}
	cat := catalog.New(catalog.Config{Version: l.pg, Open: l.schema == ""})
	if l.schema != "" {
		if err := l.start(cat); err != nil {
			return l.fail("-schema: %s: %v", l.schema, err)
		}
		cat.EndSession() // pg_dump's search_path is its own
	}
	set, err := source.Config{Format: l.source}.ReadFiles(os.DirFS(place.root), place.paths)
	if err != nil {
		return l.fail("%v", err)
	}
	status := l.problems(set.Problems)
	doc := locksDocument{Version: 1, Statements: []locksStatement{}}
	for i := range set.Migrations {
		before, script := len(doc.Statements), &set.Migrations[i].Up
		if set.Migrations[i].NoUp {
			script = &set.Migrations[i].Down // it is asked for by name
		}
		for _, gap := range script.Gaps {
			doc.Statements = append(doc.Statements, locksStatement{File: gap.Pos.File, Line: gap.Pos.Line, SQL: gap.Source,
				Locks: []locksLock{}, Rewrites: []string{}, Scans: []string{}, Error: "not understood: " + gap.Reason})
		}
		for j := range script.Statements {
			doc.Statements = append(doc.Statements, l.text(cat, &script.Statements[j])...)
		}
		// What was not understood stands apart.
		slices.SortStableFunc(doc.Statements[before:], func(a, b locksStatement) int {
			if a.File != b.File {
				return 0
			}
			return cmp.Compare(a.Line, b.Line)
		})
		if of := doc.Statements[before:]; len(of) > 0 && !slices.ContainsFunc(of, func(s locksStatement) bool { return s.parsed }) {
			status = l.fail("%s: no statement of it could be parsed: %s", of[0].File, of[0].Error)
		}
	}
	write := locksText
	if l.format == "json" {
		write = func(w io.Writer, d *locksDocument) error { return encode(w, d) }
	}
	if err := write(l.stdout, &doc); err != nil {
		return l.fail("writing: %v", err)
	}
	return status
}

// locateFiles is locate for files only.
func locateFiles(paths []string) (place, error) {
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			return place{}, fmt.Errorf("%s is a directory: name the files, in the order in which they are to be applied", p)
		}
	}
	pl, err := locate(paths)
	if err != nil {
		return pl, err
	}
	// Only what is shown matters here: neither git nor a schema.sql is looked for.
	for i, p := range pl.paths {
		if pl.paths[i], err = filepath.Rel(pl.shown, filepath.Join(pl.root, p)); err != nil {
			return pl, err
		}
		pl.paths[i] = filepath.ToSlash(pl.paths[i])
	}
	pl.root = pl.shown
	return pl, nil
}

// start fills the catalog from the schema file. What cannot be applied is said, and left out.
func (l *locks) start(cat *catalog.Catalog) error {
	if _, err := os.Stat(l.schema); err != nil {
		return bare(err)
	}
	script, err := source.ReadSchema(os.DirFS(filepath.Dir(l.schema)), filepath.Base(l.schema))
	if err != nil {
		return err
	}
	for i := range script.Statements {
		s := &script.Statements[i]
		stmts, errs := pgast.ParseEach(s.SQL)
		for _, err := range errs {
			l.say("%s:%d: %v", l.schema, s.Position(0).Line, err)
		}
		for _, stmt := range stmts {
			if _, err := cat.Apply(stmt); err != nil {
				l.say("%s:%d: %v", l.schema, s.Position(stmt.Offset).Line, err)
			}
		}
	}
	return nil
}

// text analyzes the statements of one text and applies them.
func (l *locks) text(cat *catalog.Catalog, text *source.Statement) []locksStatement {
	var list []locksStatement
	stmts, errs := pgast.ParseEach(text.SQL)
	for _, err := range errs {
		pos := text.Position(0)
		list = append(list, locksStatement{File: pos.File, Line: pos.Line, SQL: strings.TrimSpace(text.SQL),
			Locks: []locksLock{}, Rewrites: []string{}, Scans: []string{}, Error: l.parseError(text.SQL, err)})
	}
	for _, stmt := range stmts {
		pos := text.Position(stmt.Offset)
		entry := locksStatement{File: pos.File, Line: pos.Line, SQL: strings.TrimSpace(stmt.SQL), Locks: []locksLock{}, Rewrites: []string{}, Scans: []string{}}
		if err := stmt.Refused(l.pg); err != nil {
			entry.Error = l.newer(err, stmt.Newer)
		} else {
			entry.parsed = true
			entry.analyze(l.pg, cat, stmt)
		}
		list = append(list, entry)
	}
	return list
}

// parseError is what to say of a text that does not parse: also whether a newer PostgreSQL takes it.
func (l *locks) parseError(text string, err error) string {
	var syntax *pgast.SyntaxError
	if errors.As(err, &syntax) {
		if form, ok := pgast.FindNewer(text, syntax.Offset); ok {
			return l.newer(err, form)
		}
	}
	return err.Error()
}

func (l *locks) newer(err error, form pgast.Newer) string {
	if l.pg >= form.Since {
		return fmt.Sprintf("not understood: %s is new in PostgreSQL %d, and the grammar known here is %d's", form.Name, form.Since, pgast.GrammarVersion)
	}
	return fmt.Sprintf("%v: %s is new in PostgreSQL %d, and -pg says %d", err, form.Name, form.Since, l.pg)
}

// analyze finds the effect of one statement and applies it.
func (s *locksStatement) analyze(pg int, cat *catalog.Catalog, stmt pgast.Stmt) {
	before := cat.Clone()
	effects, err := cat.Apply(stmt) // leaves cat unchanged on error, as the server does
	after := cat
	if err != nil {
		after = nil
	}
	sum := lockSum{locks: map[string]lockmode.Mode{}, rewrites: map[string]bool{}, scans: map[string]bool{}}
	sum.add(before, pg, before, after, stmt, len(effects.Inner))
	for _, in := range effects.Inner { // what a DO block or a called function did
		sum.add(before, pg, in.Before, in.After, in.Stmt, 0)
	}
	sum.unknown = append(sum.unknown, effects.Gaps...)
	var ce *catalog.Error
	switch {
	case errors.As(err, &ce) && ce.Code == catalog.NotUnderstood:
		if len(sum.unknown) > 0 || len(sum.locks) == 0 {
			s.Error = "not understood: " + err.Error()
		}
	case err != nil:
		s.Error = err.Error()
	case len(sum.unknown) > 0:
		s.Error = "not fully known: " + strings.Join(sum.unknown, "; ")
	}
	s.Locks, s.Rewrites, s.Scans = []locksLock{}, sorted(sum.rewrites), sorted(sum.scans)
	for _, name := range sorted(sum.locks) {
		s.Locks = append(s.Locks, locksLock{name, sum.locks[name].String()})
	}
}

// lockSum is the effect of a statement together with those of the statements that it ran.
type lockSum struct {
	locks           map[string]lockmode.Mode
	rewrites, scans map[string]bool
	unknown         []string
}

// add adds the effect of a statement on what was there before the outermost one; runs is the number of statements that it runs
// itself.
func (sum *lockSum) add(outer *catalog.Catalog, pg int, before, after *catalog.Catalog, stmt pgast.Stmt, runs int) {
	var changes []catalog.Change
	if after != nil {
		changes = catalog.Diff(before, after)
	}
	eff, err := lockmode.AnalyzeApplied(pg, before, after, changes, stmt)
	if err != nil {
		eff.Unknown = err.Error()
	}
	if n := stmt.Node; after != nil && (n.GetDoStmt() != nil || n.GetCallStmt() != nil || runs > 0) {
		eff.Unknown = "of the body, statements that stand by themselves are listed; its queries, and what depends on their answers, are not"
	}
	for _, why := range []string{eff.Unknown, eff.Assumed} {
		// Without a schema a table that nobody created is meant to be taken for a plain one.
		if why != "" && !(before.Open && why == eff.Assumed) {
			sum.unknown = append(sum.unknown, why)
		}
	}
	there := func(oid catalog.OID) bool {
		return before == outer || oid == 0 || outer.Get(oid) != nil || outer.Open && before.Get(oid) == nil
	}
	for _, k := range eff.Locks {
		if there(k.Relation) {
			name := relationName(k.Name)
			sum.locks[name] = lockmode.Strongest(sum.locks[name], k.Mode)
		}
	}
	for _, r := range eff.Rewrites {
		if there(r.Relation) {
			sum.rewrites[relationName(r.Name)] = true
		}
	}
	for _, c := range eff.Scans {
		if there(c.Relation) {
			sum.scans[relationName(c.Name)] = true
		}
	}
}

func sorted[V any](m map[string]V) []string {
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(m))))
}

// relationName is a name as the document has it: with its schema unless that is public.
func relationName(n catalog.Name) string {
	if n.Schema == "" || n.Schema == "public" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

func locksText(out io.Writer, d *locksDocument) error {
	w := bufio.NewWriter(out)
	for i, s := range d.Statements {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s:%d: %s\n", s.File, s.Line, oneLine(s.SQL, 100))
		for _, k := range s.Locks {
			fmt.Fprintf(w, "  lock     %-24s %s\n", k.Mode, k.Relation)
		}
		for _, r := range s.Rewrites {
			fmt.Fprintf(w, "  rewrite  %-24s %s\n", "", r)
		}
		for _, c := range s.Scans {
			fmt.Fprintf(w, "  scan     %-24s %s\n", "", c)
		}
		if s.Error != "" {
			fmt.Fprintf(w, "  error    %s\n", s.Error)
		}
		if len(s.Locks)+len(s.Rewrites)+len(s.Scans) == 0 && s.Error == "" {
			fmt.Fprintln(w, "  locks nothing that another session could wait for")
		}
	}
	return w.Flush()
}

// oneLine is a text without line breaks, cut to a length in characters.
func oneLine(s string, length int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > length {
		return string(r[:length-1]) + "…"
	}
	return s
}
