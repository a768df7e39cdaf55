package compat

import (
	"context"
	"fmt"
	"os"

	"git.sr.ht/~sourcehut/ha-go/analyzers/sqlquery"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/sqlalchemy"
)

// ReadCode finds the queries of the code in a directory, Go and Python. What cannot be looked at is a Gap of the result;
// the error says that the directory cannot be read, or is ctx's.
func ReadCode(ctx context.Context, dir string) (*Code, error) {
	code := &Code{Dir: dir}
	tree, err := sqlquery.Load(ctx, sqlquery.Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	code.Sites = tree.Sites
	for _, g := range tree.Gaps {
		code.Gaps = append(code.Gaps, Gap{Reason: g.Name + ": " + g.Reason})
	}
	python, err := sqlalchemy.Read(os.DirFS(dir), ".")
	if err != nil {
		return nil, fmt.Errorf("reading Python: %w", err)
	}
	code.Sites = append(code.Sites, python.Sites...)
	for _, g := range python.Gaps {
		code.Gaps = append(code.Gaps, Gap{query.Position(g.Pos), g.Reason})
	}
	return code, nil
}
