package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// stillNeeded is the SQLSTATE of a DROP that others depend on (dependent_objects_still_exist).
const stillNeeded = "2BP01"

// dropping is a DROP for a later release: with CASCADE, when without it the server would refuse what is there now.
func (s *Step) dropping(drop string) string {
	if s.refusal(drop) != stillNeeded {
		return drop
	}
	return strings.TrimSuffix(drop, ";") + " CASCADE;"
}

// refusal is the SQLSTATE with which the server would answer one statement instead of the one that is judged; names in it may
// also be those that released code knows.
func (s *Step) refusal(sql string) string {
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return ""
	}
	for _, c := range []*catalog.Catalog{s.Before, s.File.Run.released(s.File)} {
		_, _, err := c.After(stmts[0])
		if err == nil {
			return ""
		}
		if e := asCatalogError(err); e.Code == stillNeeded {
			return e.Code
		}
	}
	return ""
}
