package migrations

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Result is what the analyzer found in the migrations that one package reports. Every other package's is nil.
type Result struct {
	// Root is the module's directory; positions in Report are relative to it.
	Root   string
	Report *migratecheck.Report
	// Err says why the migrations could not be judged.
	Err error
}

// New makes the analyzer. Files are named in the settings only: the go command does not pass a tool's flags when it asks
// what the tool depends on.
func New() *analysis.Analyzer {
	o := new(options)
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
	o.register(&a.Flags)
	return a
}

// options are the flags. Those not given leave the settings alone.
type options struct {
	severity, enable, disable, since, source string
	pg                                       int
	all                                      bool
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.severity, "severity", "", "report findings from this `level` on: info, warning, error (default warning)")
	fs.StringVar(&o.enable, "enable", "", "comma-separated `rules` or categories to switch on")
	fs.StringVar(&o.disable, "disable", "", "comma-separated `rules` or categories to switch off")
	fs.IntVar(&o.pg, "pg", 0, "major `version` of PostgreSQL, 12 to 17 (default 15)")
	fs.StringVar(&o.since, "since", "", "judge the migrations after this `version`")
	fs.StringVar(&o.source, "source", "", "the migration `tool` (default: detected)")
	fs.BoolVar(&o.all, "all", false, "judge every migration, not only those that are not released")
}

// config is the configuration of a module: the settings and, over them, the flags.
func (o *options) config(root string) (migratecheck.Config, error) {
	var cfg migratecheck.Config
	if name := settings.Find(root, root); name != "" {
		s, err := settings.Load(name)
		if err != nil {
			return cfg, err
		}
		if cfg, err = s.Config(); err != nil {
			return cfg, err
		}
	}
	var errs []error
	note := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("-migrations.%s: %w", name, err))
		}
	}
	if o.severity != "" {
		var err error
		cfg.Severity, err = migratecheck.ParseSeverity(o.severity)
		note("severity", err)
	}
	if o.enable != "" {
		cfg.Enable = append(cfg.Enable, strings.Split(o.enable, ",")...)
		note("enable", settings.CheckRules(strings.Split(o.enable, ",")))
	}
	if o.disable != "" {
		cfg.Disable = append(cfg.Disable, strings.Split(o.disable, ",")...)
		note("disable", settings.CheckRules(strings.Split(o.disable, ",")))
	}
	if o.pg != 0 {
		cfg.Version = o.pg
		note("pg", settings.CheckVersion(o.pg))
	}
	if o.since != "" {
		cfg.Since, cfg.Base = o.since, ""
	}
	if o.source != "" {
		cfg.Format = o.source
		note("source", settings.CheckSource(o.source))
	}
	cfg.All = o.all
	return cfg, errors.Join(errs...)
}

// run judges the migrations that the package is to report, if any.
func (o *options) run(pass *analysis.Pass) *Result {
	dir, names := packageFiles(pass)
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
	cfg, err := o.config(root)
	if err == nil {
		res.Report, err = migratecheck.Lint(context.Background(), cfg, root)
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
	d := diagnostics{pass: pass, root: root, files: map[string]*token.File{}}
	for _, p := range res.Report.Problems {
		d.report(p.Pos.File, p.Pos.Line, p.Pos.Column, "unreadable", p.Reason)
	}
	for _, f := range res.Report.Findings {
		text := fmt.Sprintf("%s: %s: %s", f.Severity, f.Rule, f.Message)
		if f.Help != "" {
			text += "\n\t" + strings.ReplaceAll(strings.TrimRight(f.Help, "\n"), "\n", "\n\t")
		}
		d.report(f.Pos.File, f.Pos.Line, f.Pos.Column, f.Rule, text)
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

// packageFiles are the directory and the names of a package's files, "" when it is not one of a module (a test's main
// package is generated outside of it). Files generated by cgo are passed over.
func packageFiles(pass *analysis.Pass) (dir string, names []string) {
	for _, f := range pass.Files {
		name := pass.Fset.File(f.Package).Name()
		if abs, err := filepath.Abs(name); err == nil {
			name = abs
		}
		if dir == "" && settings.ModuleRoot(filepath.Dir(name)) != "" {
			dir = filepath.Dir(name)
		}
		if filepath.Dir(name) == dir {
			names = append(names, name)
		}
	}
	return dir, names
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
	d := diagnostics{pass: pass, root: root, files: map[string]*token.File{}}
	d.report(name, line, 1, "settings", text)
}

// diagnostics reports at places in files that are not Go.
type diagnostics struct {
	pass  *analysis.Pass
	root  string
	files map[string]*token.File
}

func (d *diagnostics) report(name string, line, column int, category, text string) {
	f := d.files[name]
	if f == nil {
		full := filepath.Join(d.root, filepath.FromSlash(name))
		data, err := os.ReadFile(full)
		if err != nil {
			data = nil // a directory, or a file that cannot be read: what stands there does not matter
		}
		f = d.pass.Fset.AddFile(full, -1, len(data))
		f.SetLinesForContent(data)
		d.files[name] = f
	}
	line = min(max(line, 1), f.LineCount())
	start := f.Offset(f.LineStart(line))
	pos := f.Pos(min(start+max(column, 1)-1, f.Size()))
	d.pass.Report(analysis.Diagnostic{Pos: pos, Category: category, Message: text})
}
