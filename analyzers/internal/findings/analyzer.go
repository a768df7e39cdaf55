// Package findings is how the analyzers of Go code report: by named checks, which settings and flags can switch off, and
// which a comment can take back with a reason.
package findings

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/imports"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/passes"
	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// URL is where the analyzers are described.
const URL = "https://git.sr.ht/~sourcehut/ha-go"

// Result is what an analyzer reported of one package; nil when it had nothing to look at.
type Result struct {
	// Root is the module's directory; positions are relative to it.
	Root     string
	Findings []migratecheck.Finding
	// Suppressed counts what comments took back; Used are these comments, by position and the name that they give.
	Suppressed int
	Used       map[Use]bool
}

// Use is a name in a suppression comment that took something back.
type Use struct {
	At   token.Pos // of the comment
	Name string
}

// ResultType is that of analyzers which report by a Pass.
func ResultType() reflect.Type { return reflect.TypeFor[*Result]() }

// New makes an analyzer whose name and manual are in the doc.go given, and whose checks are those that gochecks lists for
// it. It runs despite type errors: run sees what could be resolved. Tests, what serves them (files that import testing)
// and generated files are not reported on.
func New(docgo string, run func(*Pass), requires ...*analysis.Analyzer) *analysis.Analyzer {
	manual := ReadManual(docgo)
	flags := &settings.Flags{Prefix: manual.Name + "."}
	cache := new(bars)
	a := &analysis.Analyzer{
		Name:             manual.Name,
		Doc:              manual.Doc(),
		URL:              URL,
		Requires:         requires,
		ResultType:       ResultType(),
		RunDespiteErrors: true,
	}
	a.Run = func(pass *analysis.Pass) (any, error) {
		if passes.Foreign(pass) {
			return (*Result)(nil), nil
		}
		p := NewPass(pass, func(root string) settings.Bar { return cache.of(flags, root) })
		run(p)
		return p.Result(), nil
	}
	flags.RegisterBar(&a.Flags)
	return a
}

// bars are the settings of the modules that were looked at.
type bars struct {
	mu    sync.Mutex
	known map[string]settings.Bar
}

func (b *bars) of(flags *settings.Flags, root string) settings.Bar {
	b.mu.Lock()
	defer b.mu.Unlock()
	bar, ok := b.known[root]
	if !ok {
		bar = flags.Bar(root, root)
		if b.known == nil {
			b.known = map[string]settings.Bar{}
		}
		b.known[root] = bar
	}
	return bar
}

// Finding is one thing to report.
type Finding struct {
	// Check is the ID of one that gochecks lists.
	Check string
	Pos   token.Pos
	End   token.Pos // 0: not known
	// Message says what is lost or blocked, for whom, in a sentence; Help what to write instead.
	Message string
	Help    string
	Related []analysis.RelatedInformation
	Fixes   []analysis.SuggestedFix
}

// Pass is an analysis.Pass that reports findings. It is not safe for concurrent use, like the one it holds.
type Pass struct {
	*analysis.Pass

	bar     func(root string) settings.Bar
	result  *Result
	ignores *Ignores
	silent  map[string]bool // files that are not reported on
}

// NewPass makes a Pass; bar is asked what is reported in the module at root.
func NewPass(pass *analysis.Pass, bar func(root string) settings.Bar) *Pass {
	dir, _ := passes.Files(pass)
	p := &Pass{Pass: pass, bar: bar, result: &Result{Root: settings.ModuleRoot(dir), Used: map[Use]bool{}}, silent: map[string]bool{}}
	for _, f := range pass.Files {
		name := pass.Fset.File(f.Package).Name()
		if strings.HasSuffix(name, "_test.go") || ast.IsGenerated(f) || importsTesting(f) {
			p.silent[name] = true
		}
	}
	return p
}

// Result is what was reported.
func (p *Pass) Result() *Result { return p.result }

// importsTesting tells what serves tests, and is not deployed.
func importsTesting(f *ast.File) bool {
	return imports.Any([]*ast.File{f}, "testing", "github.com/onsi/gomega", "github.com/onsi/ginkgo", "github.com/onsi/ginkgo/", "github.com/stretchr/testify/")
}

// Silent reports whether nothing is reported in the file of a position: a test, what serves tests, or generated code.
func (p *Pass) Silent(pos token.Pos) bool {
	f := p.Fset.File(pos)
	return f == nil || p.silent[f.Name()]
}

// Report files a finding, unless it is in a test or in generated code, a comment takes it back, or nobody wants to see it.
func (p *Pass) Report(f Finding) {
	check, ok := gochecks.ByID(f.Check)
	if !ok {
		panic(fmt.Sprintf("%s reports %q, which internal/gochecks does not list", p.Analyzer.Name, f.Check))
	}
	if p.Silent(f.Pos) {
		return
	}
	if p.Suppressed(f.Pos, check.ID, check.Analyzer) {
		return
	}
	if bar := p.bar(p.result.Root); !bar.Reports(check) {
		return
	}
	text := fmt.Sprintf("%s: %s: %s", check.Severity, check.ID, f.Message)
	if f.Help != "" {
		text += "\n\t" + strings.ReplaceAll(strings.TrimRight(f.Help, "\n"), "\n", "\n\t")
	}
	p.Pass.Report(analysis.Diagnostic{Pos: f.Pos, End: f.End, Category: check.ID, Message: text, Related: f.Related, SuggestedFixes: f.Fixes})
	at := p.Fset.Position(f.Pos)
	name, err := filepath.Rel(p.result.Root, at.Filename)
	if err != nil || p.result.Root == "" {
		name = at.Filename
	}
	p.result.Findings = append(p.result.Findings, migratecheck.Finding{Rule: check.ID, Severity: check.Severity, Message: f.Message, Help: f.Help,
		Pos: source.Position{File: filepath.ToSlash(name), Line: at.Line, Column: at.Column}})
}

// Place names a position in messages about another file: "store.go:12".
func (p *Pass) Place(pos token.Pos) string {
	at := p.Fset.Position(pos)
	return fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
}

// Suppressed reports whether a comment takes back what is found at a position under one of these names, and remembers that
// it did.
func (p *Pass) Suppressed(pos token.Pos, names ...string) bool {
	if p.ignores == nil {
		p.ignores = ReadIgnores(p.Fset, p.Files)
	}
	use, ok := p.ignores.at(pos, names)
	if ok {
		p.result.Used[use] = true
		p.result.Suppressed++
	}
	return ok
}
