// Package analyzers lists the analyzers that cmd/srhtvet runs, each a package of its own below this directory.
package analyzers

import (
	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/migrations"
	"git.sr.ht/~sourcehut/ha-go/analyzers/queries"
)

// Suite makes every analyzer, sorted by name. A test compares it with the directories. Each call makes new ones, since an
// analyzer holds the values of its flags.
func Suite() []*analysis.Analyzer {
	return []*analysis.Analyzer{
		migrations.New(),
		queries.New(),
	}
}
