package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"git.sr.ht/~sourcehut/ha-go/analyzers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/migrations"
	"git.sr.ht/~sourcehut/ha-go/internal/report"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

func packagesCommand() command {
	return command{
		name: "packages", args: "[flags] PACKAGES", summary: "run every analyzer on Go packages (also without the word \"packages\")",
		about: `Runs every analyzer on Go packages, as go vet -vettool does, but also where go vet does not begin: packages whose
dependencies are missing, whose generated files are not there, or that have type errors are analyzed as far as they go,
and what was skipped is said. Nothing is downloaded.

The migrations of a module are reported by the package that embeds them or, when none does, by the one nearest to them.
Which of them are judged, and how, is what srhtvet lint does. A flag can be given to one analyzer alone, as go vet has it:
-migrations.disable RULES. (go vet has no flags that name files or revisions; the settings do that.)

Positions are relative to the module around the current directory; with -format github, gitlab and sarif to the root of the
git repository, if there is one.

  srhtvet ./...
  srhtvet -base v1.2.0 -format json ./...`,
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			p := &packagesRun{terminal: t, suite: analyzers.Suite(), all: fs}
			p.output.register(fs)
			p.judging.Register(fs)
			fs.StringVar(&p.tags, "tags", "", "build with these comma-separated `TAGS`")
			for _, a := range p.suite {
				a.Flags.VisitAll(func(f *flag.Flag) {
					usage := f.Usage
					if fs.Lookup(f.Name) != nil {
						// go vet gives every analyzer flags of its own. Here most are the same for all.
						usage = aliasUsage + f.Name
						if arg, _ := flag.UnquoteUsage(f); arg != "" {
							usage += " `" + arg + "`"
						}
						usage += ", for this analyzer alone"
					}
					fs.Var(f.Value, a.Name+"."+f.Name, usage)
				})
			}
			return p.run
		},
	}
}

// aliasUsage begins the usage of a flag that is another one for one analyzer alone. Help texts leave it out.
const aliasUsage = "as -"

func isAlias(f *flag.Flag) bool { return strings.HasPrefix(f.Usage, aliasUsage) }

type packagesRun struct {
	*terminal
	output
	judging settings.Flags
	tags    string
	suite   []*analysis.Analyzer
	all     *flag.FlagSet
}

// handOn gives the analyzers the flags that are not one analyzer's alone.
func (p *packagesRun) handOn() error {
	given := map[string]bool{}
	p.all.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	p.all.Visit(func(f *flag.Flag) {
		for _, a := range p.suite {
			if a.Flags.Lookup(f.Name) != nil && !given[a.Name+"."+f.Name] {
				errs = append(errs, a.Flags.Set(f.Name, f.Value.String()))
			}
		}
	})
	return errors.Join(errs...)
}

func (p *packagesRun) run(patterns []string) int {
	format, color, err := p.check(p.terminal)
	if err != nil {
		return p.fail("%v", err)
	}
	if err := errors.Join(p.judging.Check(), p.handOn()); err != nil {
		return p.failEach(err)
	}
	if len(patterns) == 0 {
		return p.fail("name the packages, e.g. ./...")
	}
	pkgs, err := load(p.ctx, p.tags, patterns)
	if err != nil {
		return p.fail("%v", err)
	}
	if len(pkgs) == 0 {
		return p.fail("no packages match %s", strings.Join(patterns, " "))
	}
	if err := unloadable(pkgs); err != nil {
		return p.failEach(err)
	}
	p.saySkipped(pkgs)
	graph, err := checker.Analyze(p.suite, pkgs, nil)
	if err != nil {
		return p.fail("%v", err)
	}
	pl, err := locate(nil)
	if err != nil {
		return p.fail("%v", err)
	}
	if format.Repository {
		pl.showRepository()
	}
	rep, status := p.collect(graph, pl.shown)
	migratecheck.SortFindings(rep.Findings)
	rep.Findings = slices.CompactFunc(rep.Findings, func(a, b migratecheck.Finding) bool {
		return a.Pos == b.Pos && a.Rule == b.Rule && a.Message == b.Message
	})
	doc := &report.Document{Tool: "srhtvet", Version: version(), Report: rep, Rules: rulesOf(rep.Findings), Source: pl.lines().line, Color: color}
	if err := format.Write(p.stdout, doc); err != nil {
		return p.fail("writing the findings: %v", err)
	}
	if !p.quiet {
		p.say("%s; %s", plural(countPackages(pkgs), "package"), summary(rep, migratecheck.Config{Severity: p.judging.Severity()}))
	}
	if status == exitClean && len(rep.Findings) > 0 {
		status = exitFindings
	}
	return status
}

// countPackages counts what was asked for: with tests there are up to four packages of each directory.
func countPackages(pkgs []*packages.Package) int {
	dirs := map[string]bool{}
	for _, pkg := range pkgs {
		if strings.HasSuffix(pkg.PkgPath, ".test") {
			continue // the generated main package of tests
		}
		dirs[cmp.Or(pkg.Dir, strings.TrimSuffix(pkg.PkgPath, "_test"))] = true
	}
	return len(dirs)
}

// load loads packages with all they depend on from source, as far as it is there. The go command is kept from the network.
func load(ctx context.Context, tags string, patterns []string) ([]*packages.Package, error) {
	cfg := &packages.Config{
		Context: ctx,
		Mode:    packages.LoadAllSyntax | packages.NeedModule | packages.NeedEmbedFiles,
		Tests:   true,
		Env:     append(os.Environ(), "GOPROXY=off", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -buildvcs=false"), "GOTOOLCHAIN=local"),
	}
	if tags != "" {
		cfg.BuildFlags = []string{"-tags=" + tags}
	}
	pkgs, err := packages.Load(cfg, patterns...)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", strings.Join(patterns, " "), err)
	}
	return pkgs, nil
}

// unloadable is the error when none of the packages is there at all.
func unloadable(pkgs []*packages.Package) error {
	var errs []error
	for _, pkg := range pkgs {
		if len(pkg.GoFiles)+len(pkg.OtherFiles)+len(pkg.IgnoredFiles) > 0 {
			return nil
		}
		for _, e := range pkg.Errors {
			errs = append(errs, errors.New(oneLine(e.Msg, 300)))
		}
	}
	return errors.Join(errs...)
}

// saySkipped says which packages could be type-checked in part only, and why: analyzers see less there.
func (p *packagesRun) saySkipped(pkgs []*packages.Package) {
	var partial []string // packages
	var causes []string
	for _, pkg := range pkgs {
		if len(pkg.Errors) == 0 && !pkg.IllTyped || slices.Contains(partial, pkg.PkgPath) {
			continue
		}
		partial = append(partial, pkg.PkgPath)
		own := slices.DeleteFunc(slices.Clone(pkg.Errors), func(e packages.Error) bool {
			// Said of what cannot be imported; and what is undefined for want of that says nothing new.
			return strings.HasPrefix(e.Msg, "could not import ") || e.Kind == packages.TypeError && strings.HasPrefix(e.Msg, "undefined: ")
		})
		if len(own) > 0 {
			why := pkg.PkgPath + ": " + oneLine(own[0].Msg, 160)
			if n := len(own) - 1; n > 0 {
				why += fmt.Sprintf(" (and %s)", plural(n, "more error"))
			}
			causes = append(causes, why)
		}
	}
	if len(partial) == 0 {
		return
	}
	var absent []string // packages of modules that are not here
	packages.Visit(pkgs, nil, func(pkg *packages.Package) {
		switch {
		case slices.Contains(pkgs, pkg) || len(pkg.GoFiles) > 0 || len(pkg.Errors) == 0:
		case inModuleOf(pkgs, pkg.PkgPath):
			causes = append(causes, "missing: "+pkg.PkgPath+" of this module; is it generated and not committed?")
		case strings.Contains(pkg.Errors[0].Msg, "GOPROXY=off"):
			absent = append(absent, pkg.PkgPath)
		default:
			causes = append(causes, "missing: "+oneLine(pkg.Errors[0].Msg, 160))
		}
	})
	slices.Sort(causes)
	causes = slices.Compact(causes)
	if len(absent) > 0 {
		slices.Sort(absent)
		causes = append(causes, "not downloaded (go mod download does it): "+few(absent, 4, ", "))
	}
	p.say("%s type-checked in part only, so analyzers see less there: %s", plural(len(partial), "package"), few(partial, 8, ", "))
	if len(causes) > 0 {
		p.say("  %s", few(causes, 8, "\nsrhtvet:   "))
	}
}

// inModuleOf reports whether an import path is in a module that one of the packages belongs to.
func inModuleOf(pkgs []*packages.Package, path string) bool {
	return slices.ContainsFunc(pkgs, func(p *packages.Package) bool {
		return p.Module != nil && strings.HasPrefix(path, p.Module.Path+"/")
	})
}

// few joins the first of a list and counts the others.
func few(list []string, most int, separator string) string {
	if len(list) > most {
		list = append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(list, separator)
}

// collect turns what the analyzers said into one report. Names are relative to the directory shown.
func (p *packagesRun) collect(graph *checker.Graph, shown string) (*migratecheck.Report, int) {
	total, status := new(migratecheck.Report), exitClean
	said := map[string]bool{}
	for _, act := range graph.Roots {
		if act.Err != nil {
			if len(act.Package.Errors) == 0 && !act.Package.IllTyped {
				status = p.fail("%s on %s: %v", act.Analyzer.Name, act.Package.PkgPath, act.Err)
			}
			continue
		}
		if res, ok := act.Result.(*migrations.Result); ok {
			if res == nil || said[act.Package.PkgPath] {
				continue // nothing here, or once more for a test variant
			}
			said[act.Package.PkgPath] = true
			if res.Err != nil {
				status = p.failEach(res.Err)
				continue
			}
			p.addReport(total, res, shown)
			if s := p.problems(res.Report.Problems); s != exitClean {
				status = s
			}
			continue
		}
		if res, ok := act.Result.(*analyzers.Result); ok {
			if res != nil {
				pl := place{root: res.Root, shown: shown}
				rep := &migratecheck.Report{Findings: slices.Clone(res.Findings)}
				pl.relabel(rep)
				total.Findings = append(total.Findings, rep.Findings...)
				total.Suppressed += res.Suppressed
			}
			continue
		}
		for _, d := range act.Diagnostics {
			pos := act.Package.Fset.Position(d.Pos)
			total.Findings = append(total.Findings, migratecheck.Finding{
				Rule: act.Analyzer.Name, Severity: migratecheck.Warning, Message: d.Message,
				Pos: source.Position{File: relativeTo(shown, pos.Filename), Line: pos.Line, Column: pos.Column},
			})
		}
	}
	return total, status
}

func (p *packagesRun) addReport(total *migratecheck.Report, res *migrations.Result, shown string) {
	rep := *res.Report
	rep.Findings = slices.Clone(rep.Findings)
	pl := place{root: res.Root, shown: shown}
	pl.relabel(&rep)
	if !p.quiet {
		(&lint{terminal: p.terminal}).sayBases(&rep, false)
	}
	total.Findings = append(total.Findings, rep.Findings...)
	total.Files += rep.Files
	total.Statements += rep.Statements
	total.NotUnderstood += rep.NotUnderstood
	total.Suppressed += rep.Suppressed
	total.Below += rep.Below
}

func relativeTo(dir, name string) string {
	if rel, err := filepath.Rel(dir, name); err == nil {
		name = rel
	}
	return filepath.ToSlash(name)
}
