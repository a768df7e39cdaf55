package localstate

import (
	_ "embed"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run)
	a.FactTypes = []analysis.Fact{new(writesFile)}
	return a
}

// reach is how many calls away from a handler is looked at: further ones are often not made for a request at all.
const reach = 3

type checker struct{ *code.Package }

func run(pkg *code.Package) {
	c := &checker{pkg}
	c.constructors()
	c.limiters()
	c.files()
	c.sockets()
	if len(c.Handlers.Handlers) > 0 {
		c.state()
	}
}
