package migratecheck

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// refuseNewer takes out of a text's statements those whose form the server does not know although the parser does, which are problems
// there.
func (f *File) refuseNewer(text *source.Statement, stmts []pgast.Stmt, down bool) []pgast.Stmt {
	refused := func(s pgast.Stmt) bool {
		err := s.Refused(f.Run.Config.version())
		if err == nil {
			return false
		}
		p := problemOf(text, err, down)
		p.Newer = s.Newer
		f.Problems = append(f.Problems, p)
		return true
	}
	if !slices.ContainsFunc(stmts, func(s pgast.Stmt) bool { return s.Newer.Since > 0 }) {
		return stmts
	}
	return slices.DeleteFunc(slices.Clone(stmts), refused)
}
