package query

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkRevoked = &Check{
	ID:      "revoked",
	Catches: "A role that could run the query has lost a privilege that it needs.",
	Code:    "42501",
	Rules:   []string{"revoke"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/executor/execMain.c ExecCheckRTPerms",
	between: func(s *step, c *Check) {
		if s.definer() {
			return // it is not the caller's rights that count
		}
		for _, oid := range s.relations() {
			rel, _ := s.cat.Get(oid).(*catalog.Relation)
			if rel == nil || s.was.cat.Get(oid) == nil {
				continue
			}
			needs := s.privileges(oid)
			now := s.cat.Grants(catalog.Address{OID: oid})
			for _, g := range s.was.cat.Grants(catalog.Address{OID: oid}) {
				var lost []string
				for _, priv := range needs {
					if slices.Contains(g.Privileges, priv) && !holds(now, g.Grantee, priv) {
						lost = append(lost, priv)
					}
				}
				if len(lost) == 0 {
					continue
				}
				who := g.Grantee
				if who == "" {
					who = "PUBLIC"
				}
				p := Problem{Code: "42501", Offset: s.placeOf(catalog.Address{OID: oid}), Relation: s.cat.NameOf(oid).String(), Objects: []catalog.Address{{OID: oid}}}
				s.report(c, p, "%s has lost %s on %s: %s fails for it", who, strings.Join(lost, ", "), p.Relation, s.verb())
			}
		}
	},
}

// holds reports whether a grantee, or everybody, has the privilege.
func holds(grants []catalog.Grant, grantee, priv string) bool {
	return slices.ContainsFunc(grants, func(g catalog.Grant) bool {
		return (g.Grantee == grantee || g.Grantee == "") && slices.Contains(g.Privileges, priv)
	})
}

// privileges lists what a statement needs on a relation: SELECT where it reads a column or counts the rows, and for ON CONFLICT with a
// target.
func (r *reading) privileges(oid catalog.OID) []string {
	var list []string
	written := map[int]bool{} // the places that name a target
	for _, w := range r.an.Writes {
		if w.Relation != oid {
			continue
		}
		list = append(list, map[byte]string{'i': "INSERT", 'u': "UPDATE", 'd': "DELETE", 't': "TRUNCATE"}[w.Op])
		written[w.Offset] = true
		for _, t := range w.Targets {
			written[t.Offset] = true
		}
		if w.Conflict != nil && len(w.Conflict.Arbiters) > 0 {
			list = append(list, "SELECT")
		}
	}
	reads := len(list) == 0
	for _, use := range r.an.Uses {
		reads = reads || use.Address.OID == oid && !written[use.Offset]
	}
	if reads {
		list = append(list, "SELECT")
	}
	for _, use := range r.an.Uses {
		if use.Address == (catalog.Address{OID: oid}) && slices.Contains(r.locked(), use.Offset) {
			list = append(list, "UPDATE")
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// locked lists the places that name a relation whose rows SELECT … FOR UPDATE, or any weaker clause, locks, which takes the privilege
// UPDATE (sql-select.html, The Locking Clause; transformLockingClause, src/backend/parser/analyze.c).
func (r *reading) locked() []int {
	var list []int
	pgast.WalkMessages(r.stmt.Node, func(m pgast.Message) bool {
		sel, _ := m.(*pgast.SelectStmt)
		for _, l := range sel.GetLockingClause() {
			var names []string
			for _, rel := range l.GetLockingClause().GetLockedRels() {
				names = append(names, rel.GetRangeVar().GetRelname())
			}
			list = append(list, lockedIn(sel.FromClause, names)...)
		}
		return true
	})
	return list
}

// lockedIn lists the relations among the items of FROM, of those that OF names when it names any. What a subquery reads is locked with it.
func lockedIn(from []*pgast.Node, of []string) []int {
	var list []int
	for _, n := range from {
		switch n := n.GetNode().(type) {
		case *pgast.Node_RangeVar:
			name := n.RangeVar.Relname
			if n.RangeVar.Alias != nil {
				name = n.RangeVar.Alias.Aliasname
			}
			if len(of) == 0 || slices.Contains(of, name) {
				list = append(list, int(n.RangeVar.Location))
			}
		case *pgast.Node_RangeSubselect:
			if len(of) == 0 || slices.Contains(of, n.RangeSubselect.GetAlias().GetAliasname()) {
				list = append(list, lockedIn(n.RangeSubselect.Subquery.GetSelectStmt().GetFromClause(), nil)...)
			}
		case *pgast.Node_JoinExpr:
			list = append(list, lockedIn([]*pgast.Node{n.JoinExpr.Larg, n.JoinExpr.Rarg}, of)...)
		}
	}
	return list
}
