package migratecheck

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// lostGrants describes the privileges that migrations have granted on a relation and that the one which takes its name lacks:
// "SELECT, UPDATE of app", in one string; "" when it has them all. What was granted by hand nobody knows.
func (f *File) lostGrants(s *Step, old, now *catalog.Relation) string {
	if old.OID == now.OID {
		return ""
	}
	has := func(grantee, privilege, column string) bool {
		at := []catalog.Address{{OID: now.OID}}
		if col := now.Column(column); col != nil {
			at = append(at, catalog.Address{OID: now.OID, Column: col.Num})
		}
		return slices.ContainsFunc(at, func(a catalog.Address) bool {
			return slices.ContainsFunc(f.After.Grants(a), func(g catalog.Grant) bool {
				return (g.Grantee == grantee || g.Grantee == "") && slices.Contains(g.Privileges, privilege)
			})
		})
	}
	var lost []string
	note := func(at catalog.Address, column string) {
		for _, g := range s.Before.Grants(at) {
			var missing []string
			for _, p := range g.Privileges {
				if slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}, p) && !has(g.Grantee, p, column) {
					missing = append(missing, p)
				}
			}
			grantee := g.Grantee
			if grantee == "" {
				grantee = "PUBLIC"
			}
			if column != "" && len(missing) > 0 {
				missing[len(missing)-1] += " (" + column + ")"
			}
			if len(missing) > 0 {
				lost = append(lost, strings.Join(missing, ", ")+" of "+grantee)
			}
		}
	}
	note(catalog.Address{OID: old.OID}, "")
	for i := range old.Columns {
		if col := &old.Columns[i]; !col.Dropped {
			note(catalog.Address{OID: old.OID, Column: col.Num}, col.Name)
		}
	}
	return strings.Join(lost, "; ")
}
