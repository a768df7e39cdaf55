package ignores

import (
	_ "embed"
	"fmt"
	"slices"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

//go:embed doc.go
var docgo string

// New makes the analyzer. It compares the comments with what the given analyzers, those with a *findings.Result, have reported.
func New(all []*analysis.Analyzer) *analysis.Analyzer {
	reporting := slices.DeleteFunc(slices.Clone(all), func(a *analysis.Analyzer) bool { return a.ResultType != findings.ResultType() })
	return findings.New(docgo, func(pass *findings.Pass) { run(pass, reporting) }, reporting...)
}

func run(pass *findings.Pass, reporting []*analysis.Analyzer) {
	used := map[findings.Use]bool{}
	for _, a := range reporting {
		if res := pass.ResultOf[a].(*findings.Result); res != nil {
			for use := range res.Used {
				used[use] = true
			}
		}
	}
	known, judged := names(), judged(reporting)
	for _, ig := range findings.ReadIgnores(pass.Fset, pass.Files).List() {
		bad := func(message string) {
			pass.Report(findings.Finding{Check: "bad-ignore", Pos: ig.Pos, Message: message,
				Help: "Write //srhtvet:ignore RULE[,RULE] reason; `srhtvet rules` lists the rules."})
		}
		if len(ig.Rules) == 0 {
			bad("a suppression comment names no rule, so it suppresses nothing")
			continue
		}
		for _, rule := range ig.Rules {
			if !slices.Contains(known, rule) {
				bad(fmt.Sprintf("a suppression comment names %q, which is no rule%s", rule, spell.DidYouMean(rule, known)))
			}
		}
		if ig.Reason == "" {
			bad("a suppression comment gives no reason, so it suppresses nothing")
			continue
		}
		if len(pass.TypeErrors) > 0 {
			continue
		}
		for _, rule := range ig.Rules {
			if judged[rule] && !used[findings.Use{At: ig.Pos, Name: rule}] {
				pass.Report(findings.Finding{Check: "unused-ignore", Pos: ig.Pos,
					Message: fmt.Sprintf("nothing here is a finding of %s: the comment would hide one that comes later", rule),
					Help:    "Remove " + rule + " from the comment."})
			}
		}
	}
}

// judged are the names whose findings are known here.
func judged(reporting []*analysis.Analyzer) map[string]bool {
	names := map[string]bool{}
	for _, a := range reporting {
		names[a.Name] = true
		if a.Name == "queries" {
			for _, r := range migratecheck.Rules() {
				names[r.ID] = true
			}
		}
	}
	for _, c := range gochecks.All() {
		if names[c.Analyzer] {
			names[c.ID] = true
		}
	}
	return names
}

// names are those that a comment in Go code can give.
func names() []string {
	var list []string
	for _, c := range gochecks.All() {
		list = append(list, c.ID, c.Analyzer)
	}
	for _, r := range migratecheck.Rules() {
		list = append(list, r.ID)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
