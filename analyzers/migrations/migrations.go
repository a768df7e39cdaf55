package migrations

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
)

// Result is what the analyzer found in the migrations that one package reports. Every other package's is nil.
type Result struct {
	// Root is the module's directory; positions in Report are relative to it.
	Root   string
	Report *migratecheck.Report
	// Err says why the migrations could not be judged.
	Err error
}

// New makes the analyzer. Its flags are those of srhtvet lint. A tool for go vet must leave out those that name files and
// revisions, which the settings can name, too: the go command does not pass flags when it asks what the tool depends on.
func New() *analysis.Analyzer {
	o := &options{settings.Flags{Prefix: "migrations."}}
	a := &analysis.Analyzer{
		Name: "migrations",
		Doc: `report SQL and alembic migrations that break, block or lose something

The migrations of the module that are not released yet are applied, one statement after the other, to the schema that the
earlier ones make. A finding says what each statement breaks, locks or loses, and how to split it over releases.
They are reported once, in the package that embeds them, else in the one nearest to them.
"srhtvet explain RULE" explains a rule; .srhtvet.toml at the root of the module holds settings.`,
		URL:              "https://git.sr.ht/~sourcehut/ha-go",
		ResultType:       reflect.TypeFor[*Result](),
		RunDespiteErrors: true, // types do not matter to SQL
		Run:              func(pass *analysis.Pass) (any, error) { return o.run(pass), nil },
	}
	o.Register(&a.Flags)
	return a
}

// options are what the flags say.
type options struct{ settings.Flags }

// run judges the migrations that the package is to report, if any.
func (o *options) run(pass *analysis.Pass) *Result {
	dir, names := passes.Files(pass)
	root := settings.ModuleRoot(dir)
	if dir == "" || root == "" {
		return nil
	}
	m := newModule(root)
	pkg, ok := m.relative(dir)
	if !ok || !slices.ContainsFunc(m.candidates(), func(c string) bool { return m.reports(pkg, c) }) || m.isTestOnly(pkg, names) {
		return nil
	}
	res := &Result{Root: root}
	cfg, err := o.Config(root, root)
	if err == nil {
		if res.Report, _, err = compat.Lint(context.Background(), cfg, root); res.Report != nil && !errors.Is(err, migratecheck.ErrNoMigrations) {
			err = nil // the released code cannot be read: the findings are those of the rules alone
		}
	}
	if err != nil && !errors.Is(err, migratecheck.ErrNoMigrations) {
		// That nothing could be judged is said once, too.
		if !m.reports(pkg, ".") {
			return nil
		}
		res.Err, res.Report = err, nil
		reportError(pass, root, err)
		return res
	}
	if res.Report = m.share(res.Report, pkg); res.Report == nil {
		return nil
	}
	d := passes.NewPlaces(pass, root)
	for _, p := range res.Report.Problems {
		pass.Report(analysis.Diagnostic{Pos: d.Pos(p.Pos.File, p.Pos.Line, p.Pos.Column), Category: "unreadable", Message: p.Reason})
	}
	for _, f := range res.Report.Findings {
		text := fmt.Sprintf("%s: %s: %s", f.Severity, f.Rule, f.Message)
		if f.Help != "" {
			text += "\n\t" + strings.ReplaceAll(strings.TrimRight(f.Help, "\n"), "\n", "\n\t")
		}
		pass.Report(analysis.Diagnostic{Pos: d.Pos(f.Pos.File, f.Pos.Line, f.Pos.Column), Category: f.Rule, Message: text})
	}
	return res
}

func (m *module) reports(pkg, dir string) bool {
	at, ok := m.reporter(dir)
	return ok && at == pkg
}

// share is the part of the module's report that a package reports, nil for none.
func (m *module) share(all *migratecheck.Report, pkg string) *migratecheck.Report {
	if all == nil {
		return nil
	}
	mine := map[string]bool{} // by directory of migrations
	part := *all
	part.Sets, part.Findings, part.Problems = nil, nil, nil
	for _, s := range all.Sets {
		mine[s.Dir] = m.owns(s.Dir) && m.reports(pkg, s.Dir)
		if mine[s.Dir] {
			part.Sets = append(part.Sets, s)
		}
	}
	// A file belongs to the directory of migrations that it is in; what is in none (a schema.sql above, a directory that
	// cannot be read) is reported as if its directory were one.
	here := func(file string) bool {
		for dir := path.Dir(file); ; dir = path.Dir(dir) {
			if is, known := mine[dir]; known {
				return is
			}
			if dir == "." {
				break
			}
		}
		return m.owns(path.Dir(file)) && m.reports(pkg, path.Dir(file))
	}
	for _, f := range all.Findings {
		if here(f.Pos.File) {
			part.Findings = append(part.Findings, f)
		}
	}
	for _, p := range all.Problems {
		if here(p.Pos.File) {
			part.Problems = append(part.Problems, p)
		}
	}
	if len(part.Sets)+len(part.Findings)+len(part.Problems) == 0 {
		return nil
	}
	return &part
}

// reportError reports what kept migrations from being judged, at the line of the settings that the error names, if any.
func reportError(pass *analysis.Pass, root string, err error) {
	name, line := settings.Name, 1
	text := err.Error()
	if rest, ok := strings.CutPrefix(text, filepath.Join(root, settings.Name)+":"); ok {
		text = strings.TrimSpace(rest)
		if number, rest, ok := strings.Cut(rest, ":"); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, text = n, strings.TrimSpace(rest)
			}
		}
	} else {
		name = "go.mod" // that the error has no place of its own; a module has one
		text = "the migrations of this module could not be judged: " + text
	}
	d := passes.NewPlaces(pass, root)
	pass.Report(analysis.Diagnostic{Pos: d.Pos(name, line, 1), Category: "settings", Message: text})
}
