package queries

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
	"git.sr.ht/~sourcehut/ha-go/analyzers/sqlquery"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// New makes the analyzer. Its result is a *findings.Result, nil when there was nothing to judge. Its flags are those of srhtvet lint that say what the schema is; see migrations.New for why a
// tool for go vet leaves some out.
func New() *analysis.Analyzer {
	c := &checker{Flags: settings.Flags{Prefix: "queries."}, modules: map[string]*module{}}
	a := &analysis.Analyzer{
		Name: "queries",
		Doc: `check the SQL in Go code against the schema before and after the pending migrations

Every query of the package (database/sql, pgx, lib/pq, sqlx, squirrel, core-go, and functions that wrap them) is checked on
the schema that the migrations make, and on every schema on the way there: names, types, counts, columns that an INSERT must
fill. A query that needs a pending migration is reported with that migration, and one that no schema has an answer for as
broken. Where queries only need the new names of columns and tables, there is a suggested fix: it writes them everywhere in the
statement (SELECT new AS old, so that results keep their names), and is there only when every query that the changed text reaches
is then right on the new schema and means what it meant. None is there where a test expects the text, or where a file that is not in
this build names the constant or variable that it is in.

It is silent in tests, in packages without SQL and in modules without migrations. It does not see old code on the new schema: srhtvet
compat does. order = "migrate-first" in .srhtvet.toml makes a warning of what needs a migration that comes with it.`,
		URL:              "https://git.sr.ht/~sourcehut/ha-go",
		Requires:         []*analysis.Analyzer{sqlquery.Analyzer},
		ResultType:       findings.ResultType(),
		RunDespiteErrors: true,
		Run:              func(pass *analysis.Pass) (any, error) { return c.run(pass), nil },
	}
	c.Register(&a.Flags)
	return a
}

// checker holds the flags, and the schemas of the modules that were looked at.
type checker struct {
	settings.Flags

	mu      sync.Mutex // the catalogs are not safe for concurrent use
	modules map[string]*module
}

// module is the histories of a module's migrations.
type module struct {
	timelines []*migratecheck.Timeline
	order     compat.Order
	bar       migratecheck.Severity
}

func (c *checker) run(pass *analysis.Pass) *findings.Result {
	found := pass.ResultOf[sqlquery.Analyzer].(*sqlquery.Result)
	// Tests make schemas of their own, and are not deployed.
	sites := slices.DeleteFunc(slices.Clone(found.Sites), func(s query.Site) bool { return strings.HasSuffix(s.Pos.File, "_test.go") })
	if len(sites) == 0 {
		return nil
	}
	dir, _ := passes.Files(pass)
	root := settings.ModuleRoot(dir)
	if dir == "" || root == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.module(root)
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return nil
	}
	t := compat.Nearest(m.timelines, filepath.ToSlash(rel))
	if t == nil {
		return nil
	}
	service := compat.Check(compat.Config{Order: m.order}, path.Dir(t.Dir), t, &compat.Code{}, &compat.Code{Rev: "this", Sites: sites})
	own := findings.NewPass(pass, nil)
	places := passes.NewPlaces(pass, root)
	fixes := &fixer{pass: pass, found: found, base: t.Base, final: t.Final}
	for _, b := range service.Breaks {
		if b.Severity >= m.bar && !b.Suppressed {
			c.report(own, found, places, fixes, b)
		}
	}
	return own.Result()
}

// module reads the migrations of a module once. What is wrong with them, or with the settings, is said by analyzer
// migrations; here there is then nothing to judge against.
func (c *checker) module(root string) *module {
	if m, ok := c.modules[root]; ok {
		return m
	}
	m := &module{bar: migratecheck.Warning}
	c.modules[root] = m
	cfg, err := c.Config(root, root)
	if err != nil {
		return m
	}
	if name := settings.Find(root, root); name != "" {
		if set, err := settings.Load(name); err == nil {
			m.order = compat.Order(set.Order)
		}
	}
	if cfg.Severity != 0 {
		m.bar = cfg.Severity
	}
	timelines, _, err := migratecheck.Timelines(context.Background(), cfg, root)
	if err == nil || errors.Is(err, migratecheck.ErrNoMigrations) {
		m.timelines = timelines
	}
	return m
}

// report files a break at its query, with the migration beside it.
func (c *checker) report(pass *findings.Pass, found *sqlquery.Result, places *passes.Places, fixes *fixer, b *compat.Break) {
	pos := found.Pos(b.Pos)
	if !pos.IsValid() {
		pos = found.Pos(b.Site.Pos) // the text is in a file that is not Go
	}
	if !pos.IsValid() {
		return // SQL of a dependency: srhtvet compat shows it
	}
	if pass.Suppressed(pos, b.Rule, "queries") {
		return
	}
	message := fmt.Sprintf("on the schema %s %s", b.Schema, b.Message)
	if b.Cause == nil {
		message = b.Message
	}
	text := fmt.Sprintf("%s: %s: %s", b.Severity, b.Rule, message)
	if b.Help != "" {
		text += "\n\t" + strings.ReplaceAll(strings.TrimRight(b.Help, "\n"), "\n", "\n\t")
	}
	d := analysis.Diagnostic{Pos: pos, Category: b.Rule, Message: text}
	if b.Cause != nil {
		at := b.Cause.Position(0)
		d.Related = []analysis.RelatedInformation{{Pos: places.Pos(at.File, at.Line, at.Column), Message: b.Cause.Stmt.SQL}}
	}
	if fix, ok := fixes.renamed(b); ok {
		d.SuggestedFixes = []analysis.SuggestedFix{fix}
	}
	pass.Pass.Report(d)
	res := pass.Result()
	at := pass.Fset.Position(pos)
	name, err := filepath.Rel(res.Root, at.Filename)
	if err != nil {
		name = at.Filename
	}
	res.Findings = append(res.Findings, migratecheck.Finding{Rule: b.Rule, Severity: b.Severity, Message: message, Help: b.Help,
		Pos: source.Position{File: filepath.ToSlash(name), Line: at.Line, Column: at.Column}, Statement: b.SQL, At: b.Problem.Offset})
}
