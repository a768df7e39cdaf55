package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/internal/report"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

func lintCommand() command {
	return command{
		name: "lint", args: "[flags] [paths]", summary: "judge the migrations in directories or files",
		about: `Judges the migrations that are not released yet: those absent from the newest tag reachable from HEAD that is not HEAD
itself, else from the merge base with the default branch, else, without git, all. -since, -base and -all override.

Paths are directories, searched with all below them, or files. Without any, the whole module or repository around the
current directory is searched. Positions are relative to that directory, to the directory given if it is one, and to the
current directory if there are several paths; with -format github, gitlab and sarif to the root of the git repository, if
there is one.

Migrations of brant, goose, sql-migrate, golang-migrate, dbmate, tern, atlas, Flyway and alembic and plain numbered SQL
are recognised by their names and annotations.

  srhtvet lint                              what is not released yet
  srhtvet lint -since 0012 migrations       what comes after 0012
  srhtvet lint -all -severity error         the outages of the whole history
  srhtvet lint -format sarif >srhtvet.sarif for a code scanning service

With nothing pending the exit status is 0, unless released files were edited or are gone (edited-released). A
schema.sql that is not what the migrations lead to (schema-drift) is info then, a warning with a pending file or -all.

A finding is taken back by a comment on its statement: -- srhtvet:ignore RULE reason`,
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			l := &lint{terminal: t}
			l.judging.Register(fs)
			l.output.register(fs)
			fs.BoolVar(&l.code, "code", true, "let the queries of the released Go and Python code confirm or clear what is found; -code=false judges the migrations alone")
			return l.run
		},
	}
}

// lint is one run of the command.
type lint struct {
	*terminal
	output
	judging settings.Flags
	code    bool
}

// judge runs the rules and, unless it is not wanted or there is none, lets the released code speak. Where that cannot be
// read the findings stand as they are.
func (l *lint) judge(cfg migratecheck.Config, place *place) (*migratecheck.Report, error) {
	if !l.code {
		return migratecheck.Lint(l.ctx, cfg, place.root, place.paths...)
	}
	rep, read, err := compat.Lint(l.ctx, cfg, place.root, place.paths...)
	if rep == nil || errors.Is(err, migratecheck.ErrNoMigrations) {
		return rep, err
	}
	switch {
	case l.quiet:
	case err != nil:
		l.say("the released code was not looked at: %v", err)
	case read != "":
		l.say("the code of %s was looked at; -code=false leaves it out", read)
	}
	return rep, nil
}

func (l *lint) run(paths []string) int {
	format, color, err := l.check(l.terminal)
	if err != nil {
		return l.fail("%v", err)
	}
	place, missing, err := locatePresent(paths)
	if err != nil {
		return l.fail("%v", err)
	}
	if len(missing) > 0 && len(missing) == len(paths) {
		return l.failEach(errors.Join(missing...))
	}
	cfg, err := l.judging.Config(place.shown, place.top)
	if err != nil {
		return l.failEach(err)
	}
	rep, err := l.judge(cfg, &place)
	if err != nil {
		if rep != nil && errors.Is(err, migratecheck.ErrNoMigrations) {
			place.relabel(rep)
			l.sayLinks(rep)
			err = fmt.Errorf("no migrations in %s: looked for directories of .sql migrations and alembic revisions; name the directory, and -source TOOL if it is of another shape", orDot(strings.Join(paths, ", "), place.root))
			if _, why := gitrepo.Open(context.Background(), filepath.Join(place.root, place.paths[0])); errors.Is(why, gitrepo.ErrBare) {
				err = why
			}
		}
		return l.failEach(err)
	}
	missing = append(missing, place.without(rep)...)
	if format.Repository {
		place.showRepository()
	}
	place.relabel(rep)
	if !l.quiet {
		l.sayBases(rep, cfg.Stats != nil)
	}
	status := l.problems(rep.Problems)
	if len(missing) > 0 {
		status = l.failEach(errors.Join(missing...)) // the others are reported all the same
	}
	doc := &report.Document{Tool: "srhtvet", Version: version(), Report: rep, Rules: rulesOf(rep.Findings), Source: place.lines().line, Color: color}
	if err := format.Write(l.stdout, doc); err != nil {
		return l.fail("writing the findings: %v", err)
	}
	if !l.quiet {
		l.say("%s", summary(rep, cfg))
	}
	if status == exitClean && len(rep.Findings) > 0 {
		status = exitFindings
	}
	return status
}

// failEach prints every joined error on a line of its own.
func (t *terminal) failEach(err error) int {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			t.failEach(e)
		}
		return exitFailed
	}
	return t.fail("%v", err)
}

// problems prints what could not be read, a line each.
func (t *terminal) problems(list []source.Problem) int {
	for _, p := range list {
		t.say("%v", p)
	}
	if len(list) > 0 {
		return exitFailed
	}
	return exitClean
}

// sayLinks says which directories were not looked into.
func (t *terminal) sayLinks(rep *migratecheck.Report) {
	for _, link := range rep.Links {
		t.say("%s: a link to migrations elsewhere, which is not followed: name the directory it leads to, or the link itself", link)
	}
}

// sayBases says for each directory what the migrations were compared with.
func (l *lint) sayBases(rep *migratecheck.Report, sized bool) {
	l.sayLinks(rep)
	for _, s := range rep.Sets {
		base := s.Base
		if base == "" {
			base = "nothing (no tag, no default branch, no git): every migration counts as pending, each file by itself"
		}
		if s.Pending == 0 {
			l.say("%s: %s, nothing pending; base: %s", orDot(s.Dir, "."), plural(s.Files, s.Format+" migration"), base)
			continue
		}
		l.say("%s: %s, %d pending; base: %s", orDot(s.Dir, "."), plural(s.Files, strings.TrimSpace(s.Format+" migration")), s.Pending, base)
		l.say("%s: the history starts from %s", orDot(s.Dir, "."), s.Baseline)
		const shown = 3
		for i, p := range s.BaselineProblems {
			if i == shown {
				l.say("  and %d more", len(s.BaselineProblems)-shown)
				break
			}
			l.say("  not understood there: %s", p)
		}
	}
}

// summary counts what was found.
func summary(rep *migratecheck.Report, cfg migratecheck.Config) string {
	var count [migratecheck.Error + 1]int
	for _, f := range rep.Findings {
		count[f.Severity]++
	}
	var parts []string
	for s := migratecheck.Error; s >= migratecheck.Info; s-- {
		if count[s] > 0 {
			name := s.String()
			if s == migratecheck.Info {
				name = "note"
			}
			parts = append(parts, plural(count[s], name))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no findings"}
	}
	text := fmt.Sprintf("%s in %s, %s", strings.Join(parts, ", "), plural(rep.Files, "file"), plural(rep.Statements, "statement"))
	inGo := func(f migratecheck.Finding) bool { return strings.HasSuffix(f.Pos.File, ".go") }
	switch {
	case rep.Files == 0 && (len(rep.Findings) == 0 || slices.ContainsFunc(rep.Findings, inGo)):
		text = strings.Join(parts, ", ")
	case rep.Files == 0 && len(rep.Findings) > 0:
		text = strings.Join(parts, ", ") + " about the history as a whole; no file is pending"
	}
	if rep.Below > 0 {
		text += fmt.Sprintf("; %d below -severity %s", rep.Below, severityBar(cfg))
	}
	if rep.Suppressed > 0 {
		text += fmt.Sprintf("; %d suppressed", rep.Suppressed)
	}
	if rep.NotUnderstood > 0 {
		text += fmt.Sprintf("; %d not understood", rep.NotUnderstood)
	}
	return text
}

func severityBar(cfg migratecheck.Config) migratecheck.Severity {
	if cfg.Severity == 0 {
		return migratecheck.Warning
	}
	return cfg.Severity
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func orDot(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// rulesOf are the rules that findings refer to.
func rulesOf(findings []migratecheck.Finding) []*migratecheck.Rule {
	used := map[string]bool{}
	for _, f := range findings {
		used[f.Rule] = true
	}
	var list []*migratecheck.Rule
	add := func(rules []*migratecheck.Rule) {
		for _, r := range rules {
			if used[r.ID] {
				list = append(list, r)
			}
		}
	}
	add(migratecheck.Rules())
	if slices.ContainsFunc(gochecks.All(), func(c gochecks.Check) bool { return used[c.ID] }) {
		add(goRules()) // whose manuals have to be read
	}
	return list
}

// place is which files are judged, and what their names are relative to.
type place struct {
	root  string   // everything is below it; git, schema.sql and the settings are looked for from here
	paths []string // relative to root
	shown string   // positions are relative to it
	top   string   // settings are looked for from shown up to here
}

// locate resolves the paths of a command line.
func locate(paths []string) (place, error) {
	pl, missing, err := locatePresent(paths)
	if err == nil && len(missing) > 0 {
		err = missing[0]
	}
	return pl, err
}

// locatePresent is locate for those of the paths that are there; missing is what is wrong with each of the others. It is up to
// the caller whether there are any left.
func locatePresent(paths []string) (pl place, missing []error, err error) {
	cwd, err := os.Getwd()
	if err != nil {
		return place{}, nil, err
	}
	if len(paths) == 0 {
		root, _ := settings.Root(cwd)
		return place{root: root, paths: []string{"."}, shown: root, top: root}, nil, nil
	}
	var full []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", p, bare(err)))
			continue
		}
		if !filepath.IsAbs(p) {
			p = filepath.Join(cwd, p)
		}
		p = filepath.Clean(p)
		full = append(full, p)
		if len(paths) == 1 && info.IsDir() {
			// A single directory: its module or repository tells more (schema.sql beside it, its history).
			root, found := settings.Root(p)
			if !found && within(cwd, p) {
				root = cwd
			}
			pl := place{root: root, shown: p, top: root}
			return pl, nil, pl.add(p)
		}
	}
	shown := cwd
	for _, p := range full {
		for !within(shown, p) {
			shown = filepath.Dir(shown)
		}
	}
	root, found := settings.Root(shown)
	if !found {
		root = shown
	}
	pl = place{root: root, shown: shown, top: root}
	for _, p := range full {
		if err := pl.add(p); err != nil {
			return pl, missing, err
		}
	}
	return pl, missing, nil
}

// without are the directories among the paths that no set of migrations is in, or below.
func (p *place) without(rep *migratecheck.Report) []error {
	var list []error
	for _, name := range p.paths {
		name = filepath.ToSlash(name)
		info, err := os.Stat(filepath.Join(p.root, name))
		if err != nil || !info.IsDir() {
			continue
		}
		holds := func(file string) bool { return name == "." || file == name || strings.HasPrefix(file, name+"/") }
		if !slices.ContainsFunc(rep.Sets, func(s migratecheck.SetReport) bool { return holds(s.Dir) }) &&
			!slices.ContainsFunc(rep.Problems, func(f source.Problem) bool { return holds(f.Pos.File) }) {
			shown, err := filepath.Rel(p.shown, filepath.Join(p.root, name))
			if err != nil {
				shown = name
			}
			list = append(list, fmt.Errorf("no migrations in %s", filepath.ToSlash(shown)))
		}
	}
	return list
}

func (p *place) add(full string) error {
	rel, err := filepath.Rel(p.root, full)
	if err != nil {
		return err
	}
	p.paths = append(p.paths, rel)
	return nil
}

// within reports whether a path is dir or below it.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// bare is a file system's error without the operation and the path.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// relabel makes the names in a report relative to what is shown.
func (p *place) relabel(rep *migratecheck.Report) {
	if p.root == p.shown {
		return
	}
	known := map[string]string{"": ""} // a file has many findings
	name := func(file string) string {
		shown, ok := known[file]
		if !ok {
			shown = file
			if rel, err := filepath.Rel(p.shown, filepath.Join(p.root, filepath.FromSlash(file))); err == nil {
				shown = filepath.ToSlash(rel)
			}
			known[file] = shown
		}
		return shown
	}
	for i := range rep.Findings {
		rep.Findings[i].Pos.File = name(rep.Findings[i].Pos.File)
	}
	for i := range rep.Problems {
		rep.Problems[i].Pos.File = name(rep.Problems[i].Pos.File)
	}
	for i := range rep.Links {
		rep.Links[i] = name(rep.Links[i])
	}
	for i := range rep.Sets {
		rep.Sets[i].Dir = name(rep.Sets[i].Dir)
	}
	migratecheck.SortFindings(rep.Findings)
}

// showRepository makes positions relative to the root of the repository, if there is one: what services that annotate
// changes know files by.
func (p *place) showRepository() {
	if root := settings.RepositoryRoot(p.shown); root != "" {
		p.shown = root
	}
}

// lines reads lines of files that findings point at.
func (p *place) lines() *lineReader {
	dir := p.shown
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) }
	return &lineReader{read: read, files: map[string]*source.File{}}
}

type lineReader struct {
	read  func(name string) ([]byte, error)
	files map[string]*source.File
}

func (r *lineReader) line(name string, number int) string {
	f, ok := r.files[name]
	if !ok {
		if data, err := r.read(name); err == nil {
			file := source.NewFile(name, string(data))
			f = &file
		}
		r.files[name] = f
	}
	if f == nil {
		return ""
	}
	return f.Line(number)
}
