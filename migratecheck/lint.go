package migratecheck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Report is the outcome of Lint.
type Report struct {
	// Findings at or above Config.Severity, sorted; those below are counted in Below.
	Findings []Finding
	Below    int
	// Files and Statements are what was judged, Down sections included; NotUnderstood the parts of them (statements,
	// gaps) whose effect is not known; Suppressed the findings that comments took back.
	Files, Statements, NotUnderstood, Suppressed int
	// Sets says for each directory what was taken as base and baseline.
	Sets []SetReport
	// Problems are the files that could not be read. The others were judged.
	Problems []source.Problem
	// Links are links to directories of migrations outside of what was read. They are not followed; name the directory itself.
	Links []string
}

// SetReport is what a Report says about one directory of migrations.
type SetReport struct {
	Dir, Format      string
	Files, Pending   int
	Base, Baseline   string
	BaselineProblems []string
}

// ErrNoMigrations is returned by Lint when there is nothing to judge.
var ErrNoMigrations = errors.New("no migrations found")

// Lint judges the migrations at or below paths, directories or files relative to root. No paths means all of root.
// Positions in the report are relative to root. It is safe for concurrent use.
//
// The error is one of Config, of git, or ErrNoMigrations; unreadable files are in Report.Problems instead.
func Lint(ctx context.Context, cfg Config, root string, paths ...string) (*Report, error) {
	report, _, err := lint(ctx, &cfg, root, paths, false)
	return report, err
}

// lint is Lint, and keeps the runs if asked to.
func lint(ctx context.Context, cfg *Config, root string, paths []string, keep bool) (*Report, []*Run, error) {
	if err := cfg.validate(); err != nil {
		return nil, nil, err
	}
	fsys := cfg.Files
	if fsys == nil {
		fsys = os.DirFS(root)
	}
	sets, err := findSets(*cfg, fsys, root, paths)
	if err != nil {
		return nil, nil, err
	}
	if err := checkSince(cfg, sets); err != nil {
		return nil, nil, err
	}
	base, err := findBase(ctx, cfg, root)
	if err != nil {
		return nil, nil, err
	}
	report := new(Report)
	var runs []*Run
	for i := range sets {
		run, err := lintSet(ctx, cfg, fsys, base, &sets[i], report, keep)
		if err != nil {
			return nil, nil, err
		}
		if keep && run != nil {
			runs = append(runs, run)
		}
	}
	SortFindings(report.Findings)
	if len(report.Sets) == 0 && len(report.Problems) == 0 {
		return report, nil, fmt.Errorf("%w below %s: looked for directories of .sql migrations (brant, goose, sql-migrate, golang-migrate, dbmate, tern, atlas, Flyway, NNNN_name.sql) and alembic revisions; name the directory, and -source FORMAT if it is of another shape", ErrNoMigrations, strings.Join(append([]string{}, pathsOr(paths)...), ", "))
	}
	return report, runs, nil
}

func pathsOr(paths []string) []string {
	if len(paths) == 0 {
		return []string{"."}
	}
	return paths
}

// selection is a set of migrations and, when files of it were named one by one, which of them are judged; the directory
// they are in is their history all the same.
type selection struct {
	source.Set
	only map[string]bool
}

// findSets reads the migrations that paths name.
func findSets(cfg Config, fsys fs.FS, root string, paths []string) ([]selection, error) {
	sc := source.Config{Format: cfg.Format}
	var sets []selection
	var files []string
	seen := map[string]bool{}
	named := make([]string, 0, len(paths))
	for _, p := range paths {
		named = append(named, filepath.ToSlash(filepath.Clean(p)))
	}
	for _, p := range pathsOr(paths) {
		name := filepath.ToSlash(filepath.Clean(p))
		if !fs.ValidPath(name) {
			return nil, fmt.Errorf("%s is outside %s: run from a directory above both", p, root)
		}
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", p, err)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		found, err := sc.Discover(fsys, name)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			switch {
			case s.Link && slices.Contains(named, s.Dir): // it is read under that name
			case !seen[s.Dir]:
				seen[s.Dir] = true
				sets = append(sets, selection{Set: s})
			}
		}
	}
	return addFiles(sc, fsys, sets, files)
}

// addFiles adds the files named one by one: as part of the directory they belong to, or where it is none of migrations,
// by themselves.
func addFiles(sc source.Config, fsys fs.FS, sets []selection, files []string) ([]selection, error) {
	var alone []string
	dirs := map[string][]source.Set{}
	for _, name := range files {
		dir := path.Dir(name)
		if _, ok := dirs[dir]; !ok {
			found, err := sc.Discover(fsys, dir)
			if err != nil {
				return nil, err
			}
			dirs[dir] = found
		}
		i := slices.IndexFunc(dirs[dir], func(s source.Set) bool { return holds(&s, name) })
		if i < 0 && sc.Format == "" && path.Ext(name) != ".sql" && path.Ext(name) != ".py" {
			sets = append(sets, selection{Set: source.Set{Dir: dir, Named: true, Problems: []source.Problem{{
				Pos: source.Position{File: name}, Reason: "no migration by its name: they are .sql files, and alembic's revisions .py; -source FORMAT reads a file of any name",
			}}}})
			continue
		}
		if i < 0 {
			alone = append(alone, name)
			continue
		}
		set := dirs[dir][i]
		j := slices.IndexFunc(sets, func(s selection) bool { return s.Dir == set.Dir })
		switch {
		case j < 0:
			sets = append(sets, selection{set, map[string]bool{name: true}})
		case sets[j].only != nil: // otherwise all of the directory was asked for
			sets[j].only[name] = true
		}
	}
	if len(alone) > 0 {
		found, err := sc.ReadFiles(fsys, alone)
		if err != nil {
			return nil, err
		}
		sets = append(sets, selection{Set: found})
	}
	return sets, nil
}

// holds reports whether a set has a migration in the file, or could not read it.
func holds(set *source.Set, file string) bool {
	return slices.ContainsFunc(set.Migrations, func(m source.Migration) bool { return inFile(&m, file) }) ||
		len(set.Migrations) > 0 && slices.ContainsFunc(set.Problems, func(p source.Problem) bool { return p.Pos.File == file })
}

// inFile reports whether a migration, or its way down, stands in the file.
func inFile(m *source.Migration, file string) bool {
	if m.File == file {
		return true
	}
	for i := range m.Down.Statements {
		if f := m.Down.Statements[i].File(); f != nil && f.Path == file {
			return true
		}
	}
	return false
}

// lintSet judges one directory and adds to the report. The run is nil when it holds no migration that can be read.
func lintSet(ctx context.Context, cfg *Config, fsys fs.FS, base *base, set *selection, report *Report, keep bool) (*Run, error) {
	for _, p := range set.Problems {
		if set.only == nil || set.only[p.Pos.File] || p.Pos.File == "" {
			report.Problems = append(report.Problems, p)
		}
	}
	if set.Link {
		report.Links = append(report.Links, set.Dir)
	}
	if len(set.Migrations) == 0 {
		return nil, nil
	}
	pending, err := base.pending(cfg, &set.Set)
	if err != nil {
		return nil, err
	}
	pending.only = set.only
	sr := SetReport{Dir: set.Dir, Format: set.Format, Files: len(set.Migrations), Base: pending.Base}
	run := newRun(cfg, &set.Set, pending)
	for _, f := range run.Files {
		if f.Pending {
			sr.Pending++
		}
	}
	if base != nil && base.repo != nil && slices.Contains(run.rules, ruleCodeWithMigration) {
		if pending.companions, err = findCompanions(ctx, base.repo, run.Files); err != nil {
			return nil, err
		}
	}
	// With nothing to be released, what is may have drifted from the schema.sql, or have been edited, all the same.
	drifts := set.SchemaFile != "" && slices.Contains(run.rules, ruleSchemaDrift)
	if sr.Pending > 0 || keep || drifts {
		if run, err = judge(ctx, cfg, fsys, base, &set.Set, pending, &sr, keep); err != nil {
			return nil, err
		}
	}
	if sr.Pending == 0 && !keep && !drifts && slices.Contains(run.rules, ruleEditedReleased) {
		run.rule = ruleEditedReleased
		ruleEditedReleased.History(run)
	}
	report.Sets = append(report.Sets, sr)
	report.Files += sr.Pending
	report.Statements += run.statements
	report.NotUnderstood += run.notUnderst
	report.Suppressed += run.suppressed
	report.Below += run.below
	report.add(run.findings, cfg.severity())
	return run, nil
}

// add files findings: those at or above the bar, and the number of the others.
func (r *Report) add(findings []Finding, bar Severity) {
	r.Findings = slices.Grow(r.Findings, len(findings))
	for _, f := range findings {
		if f.Severity >= bar {
			r.Findings = append(r.Findings, f)
		} else {
			r.Below++
		}
	}
}

// File replaces the report's findings, those below the bar included (a bar of 0 is Warning): for who knows more of them
// than the rules do.
func (r *Report) File(findings []Finding, bar Severity) {
	r.Findings, r.Below = nil, 0
	r.add(findings, (&Config{Severity: bar}).severity())
	SortFindings(r.Findings)
}

// judge walks the history, first as if it began with an empty database, and if it does not, from its baseline.
func judge(ctx context.Context, cfg *Config, fsys fs.FS, base *base, set *source.Set, pending *Pending, sr *SetReport, keep bool) (*Run, error) {
	run := newRun(cfg, set, pending)
	run.keep = keep
	run.Schema = readSchemaFile(cfg, fsys, set)
	cat := catalog.New(catalog.Config{Version: cfg.version()})
	if cfg.Schema != "" {
		script, err := readSchema(cfg.Schema)
		if err != nil {
			return nil, fmt.Errorf("-schema: %w", err)
		}
		sr.Baseline, sr.BaselineProblems = cfg.Schema, applyScript(cat, script)
		run.baseline = []*source.Script{script}
		if len(sr.BaselineProblems) > 0 {
			run.gap = cat.NextOID()
		}
		run.walk(cat, false)
		return run, nil
	}
	if run.walk(cat, true) {
		sr.Baseline = "an empty database"
		return run, nil
	}
	bl, err := findBaseline(ctx, cfg, fsys, base, set, pending)
	if err != nil {
		return nil, err
	}
	sr.Baseline, sr.BaselineProblems = bl.From, bl.problems
	again := newRun(cfg, set, pending)
	again.keep, again.fromBase = keep, bl.released
	again.Schema = run.Schema
	again.baseline, again.open = bl.scripts, bl.scripts == nil
	if len(bl.problems) > 0 {
		again.gap = bl.Catalog.NextOID()
	}
	again.walk(bl.Catalog, false)
	return again, nil
}

// readSchemaFile applies the schema.sql of the tree under judgement, when there is one.
func readSchemaFile(cfg *Config, fsys fs.FS, set *source.Set) *SchemaFile {
	if set.SchemaFile == "" {
		return nil
	}
	sf := &SchemaFile{File: set.SchemaFile, Catalog: catalog.New(catalog.Config{Version: cfg.version()})}
	script, err := source.ReadSchema(fsys, set.SchemaFile)
	if err != nil {
		sf.Problems = append(sf.Problems, err.Error())
		return sf
	}
	sf.Problems = applyScript(sf.Catalog, &script)
	if len(script.Statements) > 0 {
		sf.file = script.Statements[0].File()
		for i := range script.Statements {
			switch words := tokensOf(script.Statements[i].SQL); {
			case len(words) == 0:
			case wordsMatch(script.Statements[i].SQL, words, []string{"COMMENT", "ON"}):
				// pg_dump has those of extensions, which the history need not know, even where it has no other.
				sf.comments = sf.comments || !wordsMatch(script.Statements[i].SQL, words, []string{"COMMENT", "ON", "EXTENSION"})
			case wordsMatch(script.Statements[i].SQL, words, []string{"GRANT"}), wordsMatch(script.Statements[i].SQL, words, []string{"REVOKE"}):
				sf.privileges = true
			}
		}
	}
	return sf
}
