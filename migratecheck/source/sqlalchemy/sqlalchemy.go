package sqlalchemy

import (
	"cmp"
	"io/fs"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// Result is what the Python code of a service asks of its database.
type Result struct {
	// Sites are sorted by file and position.
	Sites []query.Site
	// Gaps are code that no site stands for although it may touch the database, sorted likewise.
	Gaps []Gap
}

// Gap is code that was not understood.
type Gap struct {
	Pos    query.Position
	Reason string
}

// Read reads the Python code below root, a directory of fsys. Positions are relative to fsys. The error is that of a
// root which cannot be read; what cannot be read below it is a Gap. It is safe for concurrent use.
func Read(fsys fs.FS, root string) (Result, error) {
	files, gaps, err := files(fsys, root)
	if err != nil {
		return Result{}, err
	}
	modules, err := python.ParseAll(files, nil)
	if err != nil {
		return Result{}, err
	}
	r := newRepo(modules)
	r.gaps = gaps
	r.run()
	r.models()
	r.scan()
	r.statements()
	slices.SortFunc(r.gaps, func(a, b Gap) int { return cmp.Or(comparePos(a.Pos, b.Pos), cmp.Compare(a.Reason, b.Reason)) })
	slices.SortFunc(r.sites, func(a, b query.Site) int {
		return cmp.Or(comparePos(a.Pos, b.Pos), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Func, b.Func))
	})
	return Result{Sites: r.sites, Gaps: slices.Compact(r.gaps)}, nil
}

func comparePos(a, b query.Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
