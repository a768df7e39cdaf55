package detachedwork

import (
	_ "embed"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run)
	a.FactTypes = []analysis.Fact{new(acts), new(starts), new(detaches)}
	return a
}

// reach is how many calls away from a handler is looked at: further ones are often not made for a request at all.
const reach = 3

type checker struct {
	*code.Package
	acting map[*types.Func]*acts   // what is known of functions so far; see actsOf
	locks  map[*types.Func]*locked // see lockedBy
}

func run(pkg *code.Package) {
	c := &checker{Package: pkg, acting: map[*types.Func]*acts{}, locks: map[*types.Func]*locked{}}
	c.goroutines()
	c.sends()
	c.closes()
}
