// Package analyzers lists the analyzers that cmd/srhtvet runs, each a package of its own below this directory.
package analyzers

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/detachedwork"
	"git.sr.ht/~sourcehut/ha-go/analyzers/droppedwrite"
	"git.sr.ht/~sourcehut/ha-go/analyzers/failoversafe"
	"git.sr.ht/~sourcehut/ha-go/analyzers/gracefulserver"
	"git.sr.ht/~sourcehut/ha-go/analyzers/handlerdeadline"
	"git.sr.ht/~sourcehut/ha-go/analyzers/ignores"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/localstate"
	"git.sr.ht/~sourcehut/ha-go/analyzers/migrations"
	"git.sr.ht/~sourcehut/ha-go/analyzers/poolsafe"
	"git.sr.ht/~sourcehut/ha-go/analyzers/queries"
	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
)

// Result is what every analyzer but migrations reports of a package; nil when it had nothing to look at.
type Result = findings.Result

// Suite makes every analyzer, sorted by name. A test compares it with the directories. Each call makes new ones, since an
// analyzer holds the values of its flags.
func Suite() []*analysis.Analyzer {
	return withIgnores(append(goCode(), migrations.New(), queries.New()))
}

// OfGoCode makes those that depend on nothing but Go code and the settings, sorted by name: for tools that know only Go files
// and would keep what the others said when a migration has changed.
func OfGoCode() []*analysis.Analyzer { return withIgnores(goCode()) }

func goCode() []*analysis.Analyzer {
	return []*analysis.Analyzer{
		detachedwork.New(),
		droppedwrite.New(),
		failoversafe.New(),
		gracefulserver.New(),
		handlerdeadline.New(),
		localstate.New(),
		poolsafe.New(),
	}
}

// withIgnores adds the analyzer that judges what comments take back of the others' findings.
func withIgnores(list []*analysis.Analyzer) []*analysis.Analyzer {
	list = append(list, ignores.New(list))
	slices.SortFunc(list, func(a, b *analysis.Analyzer) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Explain is the manual of a check, or of an analyzer with all its checks, and the name of the analyzer; "" when there is
// none of that name.
func Explain(name string) (manual, analyzer string) {
	check, isCheck := gochecks.ByID(name)
	for _, a := range Suite() {
		switch m := findings.ManualOf(a); {
		case a.Name == name:
			return m.Doc(), a.Name
		case isCheck && a.Name == check.Analyzer:
			return m.Section(name), a.Name
		}
	}
	return "", ""
}

// Manuals are the manuals of all checks, by ID.
func Manuals() map[string]string {
	manuals := map[string]string{}
	for _, a := range Suite() {
		m := findings.ManualOf(a)
		for _, c := range gochecks.All() {
			if c.Analyzer == a.Name {
				manuals[c.ID] = m.Section(c.ID)
			}
		}
	}
	return manuals
}
