package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/internal/report"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

func compatCommand() command {
	return command{
		name: "compat", args: "[flags] [dir]", summary: "check old and new code on the old and the new schema",
		about: `Reads the queries out of two versions of the code, Go and Python, and checks each on the schema before the pending
migrations, after each of them, and after the last: whatever is deployed first, and after a roll-back, one version of the
code meets the other version's schema.

The old version is what decides which migrations are pending: the newest tag reachable from HEAD that is not HEAD itself,
else the merge base with the default branch. The new version is the work tree. The repository is only read.

  srhtvet compat                            what this change would break
  srhtvet compat -old v1.2.0 -new v1.3.0    what that release has broken
  srhtvet compat -format html >review.html  a page for a review

New code that uses what a pending migration adds breaks on the old schema. That is an error too, unless .srhtvet.toml
says order = "migrate-first": then it is a warning that names the migration.`,
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			c := &compatRun{terminal: t}
			var names []string
			for _, f := range report.CompatFormats() {
				names = append(names, f.Name)
			}
			fs.StringVar(&c.old, "old", "", "the old version is this git `REVISION` (default: the newest tag before HEAD)")
			fs.StringVar(&c.new, "new", "", "the new version is this git `REVISION` (default: the work tree)")
			fs.StringVar(&c.migrations, "migrations", "", "the migrations are in this `DIR` (default: found)")
			fs.StringVar(&c.schema, "schema", "", "start from the schema in this `FILE` instead of looking for one")
			fs.StringVar(&c.source, "source", "", "read the migrations as this `TOOL` does (default: detected)")
			fs.IntVar(&c.pg, "pg", 0, "the major `VERSION` of PostgreSQL, 12 to 18 (default 15)")
			fs.StringVar(&c.severity, "severity", "", "report from this `LEVEL` on: info, warning, error (default warning)")
			fs.StringVar(&c.format, "format", "text", "print the result as `NAME`: "+strings.Join(names, ", "))
			fs.StringVar(&c.color, "color", "auto", "colour the text, `WHEN`: auto (on a terminal, unless NO_COLOR is set), always, never")
			fs.Var(&c.verify, "verify", "prove the result on a real PostgreSQL: a throwaway one, or with -verify=`DSN` in scratch databases of that server (a password is better in PGPASSWORD or a password file)")
			fs.BoolVar(&c.quiet, "q", false, "print the result and errors only")
			return c.run
		},
	}
}

type compatRun struct {
	*terminal
	old, new, migrations, schema, source, severity, format, color string
	pg                                                            int
	quiet                                                         bool
	verify                                                        verifyFlag
	dir                                                           string // absolute: what is judged, and what positions are relative to
}

func (c *compatRun) run(args []string) int {
	format, err := report.LookupCompat(c.format)
	if err != nil {
		return c.fail("%v", err)
	}
	color, err := c.colored(c.color)
	if err != nil {
		return c.fail("%v", err)
	}
	cfg, order, err := c.configure(args)
	if err != nil {
		return c.failEach(err)
	}
	versions, err := c.versions(&cfg)
	if err != nil {
		return c.failEach(err)
	}
	timelines, rep, err := migratecheck.Timelines(c.ctx, cfg, c.dir, c.migrations)
	if err != nil {
		return c.failEach(err)
	}
	chosen := timelines
	if c.migrations != "." {
		// Which code belongs to these migrations only all of them tell.
		if all, _, err := migratecheck.Timelines(c.ctx, cfg, c.dir); err == nil && slices.ContainsFunc(all, c.isChosen) {
			timelines = all
		}
	}
	for _, t := range slices.Concat(timelines, chosen) {
		t.SetReport.Base = versions.base
	}
	status := c.problems(rep.Problems)
	if !c.quiet {
		c.sayLinks(rep)
	}
	services := compat.Services(compat.Config{Order: order, Disable: cfg.Disable}, timelines, versions.code[compat.Old], versions.code[compat.New])
	if c.migrations != "." && len(timelines) > len(chosen) {
		services = slices.DeleteFunc(services, func(s *compat.Service) bool { return !c.isChosen(s.Timeline) })
	}
	if !c.quiet {
		c.sayVersions(versions, services)
	}
	if c.verify.on {
		if err := c.prove(services, cfg.Version); err != nil {
			return c.fail("-verify: %v", err)
		}
	}
	doc := &report.Compat{Tool: "srhtvet", Version: version(), Services: services, Bar: cfg.Severity, Color: color, Source: versions.lines()}
	if format.Repository {
		doc.Relabel = c.fromRepository
	}
	doc.Rules = rulesOf(findingsOf(doc))
	if err := format.Write(c.stdout, doc); err != nil {
		return c.fail("writing the result: %v", err)
	}
	if !c.quiet {
		c.say("%s", compatSummary(doc))
	}
	for _, s := range services {
		if s.VerifyErr != nil {
			status = c.fail("-verify: %s: %v", s.Dir, s.VerifyErr)
		} else if s.Verified != nil && s.Verified.Broken() > 0 && status == exitClean {
			status = exitFindings
		}
	}
	if status == exitClean && len(findingsOf(doc)) > 0 {
		status = exitFindings
	}
	return status
}

// isChosen reports whether -migrations names the directory of a history, or one above it.
func (c *compatRun) isChosen(t *migratecheck.Timeline) bool {
	return t.Dir == c.migrations || strings.HasPrefix(t.Dir, c.migrations+"/")
}

// configure reads the settings and the flags.
func (c *compatRun) configure(args []string) (migratecheck.Config, compat.Order, error) {
	var cfg migratecheck.Config
	if len(args) > 1 {
		return cfg, "", fmt.Errorf("compat takes one directory, not %d", len(args))
	}
	place, err := locate(args)
	if err != nil {
		return cfg, "", err
	}
	if info, err := os.Stat(place.shown); err != nil || !info.IsDir() || len(args) == 1 && !isDir(args[0]) {
		return cfg, "", fmt.Errorf("compat takes a directory: %s is a file", strings.Join(args, ""))
	}
	c.dir = place.shown
	if c.migrations != "" {
		full, err := filepath.Abs(c.migrations)
		if err != nil {
			return cfg, "", err
		}
		given := c.migrations
		if c.migrations, err = compat.SlashRel(c.dir, full); err != nil {
			if _, missing := os.Stat(full); missing != nil {
				err = fmt.Errorf("%s: no such file or directory", given)
			}
			return cfg, "", fmt.Errorf("-migrations: %w", err)
		}
	} else {
		c.migrations = "."
	}
	set := new(settings.Settings)
	if name := settings.Find(c.dir, place.top); name != "" {
		if set, err = settings.Load(name); err != nil {
			return cfg, "", err
		}
	}
	if c.schema != "" {
		set.Schema = ""
	}
	if cfg, err = set.Config(); err != nil {
		return cfg, "", err
	}
	if cfg.Since != "" && c.old == "" {
		// A version of the schema is no version of the code.
		return cfg, "", fmt.Errorf("%s says since = %q, which names no version of the code: name the old one with -old REVISION", set.File, cfg.Since)
	}
	cfg.Since = ""
	var errs []error
	if c.severity != "" {
		cfg.Severity, err = migratecheck.ParseSeverity(c.severity)
		errs = append(errs, prefixed("-severity", err))
	}
	if c.pg != 0 {
		cfg.Version = c.pg
		errs = append(errs, prefixed("-pg", settings.CheckVersion(c.pg)))
	}
	if c.source != "" {
		cfg.Format = c.source
		errs = append(errs, prefixed("-source", settings.CheckSource(c.source)))
	}
	if c.schema != "" {
		cfg.Schema, err = filepath.Abs(c.schema)
		errs = append(errs, err)
		if isDir(c.schema) {
			errs = append(errs, fmt.Errorf("-schema: %s is a directory", c.schema))
		} else if _, err := os.Stat(c.schema); err != nil {
			errs = append(errs, fmt.Errorf("-schema: %s: %w", c.schema, bare(err)))
		}
	}
	return cfg, compat.Order(set.Order), errors.Join(errs...)
}

func prefixed(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// versions are the two versions of the code.
type versions struct {
	code [2]*compat.Code
	base string // what the old one was taken from
}

// lines reads lines of either version's files.
func (v *versions) lines() func(compat.Version, string, int) string {
	var readers [2]*lineReader
	for i, code := range v.code {
		readers[i] = &lineReader{read: func(name string) ([]byte, error) { return fs.ReadFile(code.Files, name) }, files: map[string]*source.File{}}
	}
	return func(version compat.Version, file string, line int) string { return readers[version].line(file, line) }
}

// versions finds the two versions and reads their code. cfg is told where the new one's migrations are, and which are
// released.
func (c *compatRun) versions(cfg *migratecheck.Config) (*versions, error) {
	repo, err := openRepository(c.ctx, "compat", c.dir)
	if err != nil {
		return nil, err
	}
	v := new(versions)
	newCommit := ""
	if c.new != "" {
		if newCommit, err = repo.Resolve(c.ctx, c.new); err != nil {
			return nil, fmt.Errorf("-new: %w", err)
		}
		repo.At, cfg.Revision = newCommit, newCommit
	}
	if c.old != "" {
		cfg.Base = c.old
	}
	commit, desc, err := migratecheck.BaseRevision(c.ctx, cfg, c.dir)
	switch {
	case err != nil && c.old != "":
		return nil, fmt.Errorf("-old: %w", unprefixed(err, "-base: "))
	case err != nil:
		return nil, err
	case commit == "" && repo.Head(c.ctx) == "":
		return nil, errors.New("there is no old version to compare with: the repository has no commit yet")
	case commit == "":
		return nil, errors.New("there is no old version to compare with: no tag before HEAD, and no other branch; name it with -old REVISION")
	}
	cfg.Base, v.base = commit, desc
	read := func(which compat.Version, name, commit string) (err error) {
		if commit == "" {
			v.code[which], err = compat.ReadCode(c.ctx, c.dir)
		} else {
			v.code[which], err = compat.ReadRevision(c.ctx, repo, commit, c.dir)
		}
		if err != nil {
			return fmt.Errorf("reading the %s code (%s): %w", which, name, err)
		}
		v.code[which].Rev = name
		return nil
	}
	name := strings.TrimPrefix(desc, "tag ")
	if strings.HasPrefix(desc, "the merge base") {
		name = commit[:7]
	}
	if err := read(compat.Old, name, commit); err != nil {
		return nil, err
	}
	if newCommit == "" {
		return v, read(compat.New, "worktree", "")
	}
	if err := read(compat.New, c.new, newCommit); err != nil {
		return nil, err
	}
	cfg.Files = v.code[compat.New].Files
	return v, nil
}

func unprefixed(err error, prefix string) error {
	if text, ok := strings.CutPrefix(err.Error(), prefix); ok {
		return errors.New(text)
	}
	return err
}

func (c *compatRun) sayVersions(v *versions, services []*compat.Service) {
	c.say("old: %s; new: %s", v.code[compat.Old].Rev, v.code[compat.New].Rev)
	for _, s := range services {
		c.say("%s: %s, %d pending; the history starts from %s", orDot(s.Timeline.Dir, "."), plural(s.Timeline.Files, s.Timeline.Format+" migration"),
			len(s.Timeline.Pending), s.Timeline.Baseline)
		for i, p := range s.Timeline.BaselineProblems {
			if i == 3 {
				c.say("  and %d more", len(s.Timeline.BaselineProblems)-i)
				break
			}
			c.say("  not understood there: %s", p)
		}
	}
}

func findingsOf(doc *report.Compat) []migratecheck.Finding {
	var list []migratecheck.Finding
	for _, s := range doc.Services {
		for _, b := range doc.Reported(s) {
			list = append(list, migratecheck.Finding{Rule: b.Rule, Severity: b.Severity})
		}
		list = append(list, doc.Doubts(s)...)
	}
	return list
}

// compatSummary counts what was found.
func compatSummary(doc *report.Compat) string {
	var parts []string
	for _, s := range doc.Services {
		text := summaryOf(s)
		if len(doc.Services) > 1 {
			text = s.Dir + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func summaryOf(s *compat.Service) string {
	var cells []string
	for _, c := range compat.Cells() {
		if n := s.Count(c); n.Broken > 0 {
			cells = append(cells, fmt.Sprintf("%s code on the %s schema %d of %d", c.Code, c.Schema, n.Broken, n.Checked))
		}
	}
	unchecked := 0
	for _, c := range s.Coverage {
		unchecked += c.Found - c.Checked
	}
	text := "nothing breaks"
	switch {
	case len(cells) > 0:
		text = "broken: " + strings.Join(cells, ", ")
	case s.Coverage[compat.Old].Found+s.Coverage[compat.New].Found == 0:
		text = "no queries were found, so that nothing was checked"
	case unchecked > 0:
		text += fmt.Sprintf(" of what was checked; %s not checked", plural(unchecked, "query site")+map[bool]string{true: " was", false: " were"}[unchecked == 1])
	}
	if n := len(s.Doubts); n > 0 {
		text += fmt.Sprintf("; %s the schemas in doubt", plural(n, "finding")+map[bool]string{true: " puts", false: " put"}[n == 1])
	}
	return text
}

// fromRepository makes a name relative to the root of the repository.
func (c *compatRun) fromRepository(file string) string {
	root := settings.RepositoryRoot(c.dir)
	if rel, err := filepath.Rel(root, filepath.Join(c.dir, filepath.FromSlash(file))); root != "" && err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

// openRepository finds the repository around dir for a command that cannot do without.
func openRepository(ctx context.Context, command, dir string) (*gitrepo.Repo, error) {
	repo, err := gitrepo.Open(ctx, dir)
	if errors.Is(err, gitrepo.ErrNotRepository) {
		return nil, fmt.Errorf("%s compares revisions, and %s is not in a git repository", command, dir)
	}
	return repo, err
}
