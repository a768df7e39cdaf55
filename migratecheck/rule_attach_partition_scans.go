package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

var ruleAttachPartitionScans = &Rule{
	ID: "attach-partition-scans", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "Attaching or creating a partition reads a table in full, or builds indexes in it.",
		Why:        "The rows of the attached table, or those of the default partition, are checked against the bounds under an AccessExclusiveLock on the table read: whoever uses it waits.",
		Schema:     "CREATE TABLE event (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);\nCREATE TABLE event_2026 (id bigint NOT NULL, day date NOT NULL);",
		Bad:        "ALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
		Good:       "-- file 0002_a.sql\nALTER TABLE event_2026 ADD CONSTRAINT event_2026_day CHECK (day >= '2026-01-01' AND day < '2027-01-01') NOT VALID;\n-- file 0003_b.sql\nALTER TABLE event_2026 VALIDATE CONSTRAINT event_2026_day;\n-- file 0004_c.sql\nALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
		Exceptions: "Silent when a validated CHECK implies the bounds, and for tables that the pending change creates; sized by -stats.",
		Versions:   "12 and later lock the parent only with ShareUpdateExclusiveLock on ATTACH.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, ATTACH PARTITION; 5.11.2.2 Partition Maintenance.",
	},
	Step: func(s *Step) {
		for _, sc := range s.Lock.Scans {
			if sc.Kind != lockmode.ScanPartition || s.IsNew(sc.Relation) {
				continue
			}
			rel := s.relation(sc.Relation)
			at := s.Find("ATTACH", "PARTITION")
			if rel.Bound != nil && rel.Bound.Default {
				if s.excludesBounds(rel) {
					continue
				}
				s.ReportAt(at, s.Sized(sc.Relation, Warning),
					fmt.Sprintf("reads all rows of the default partition %s, to see that none belongs into the new one, under an AccessExclusiveLock: every query on %[1]s waits", s.Name(sc.Relation)),
					s.boundsHelp(rel, true))
				continue
			}
			s.ReportAt(at, s.Sized(sc.Relation, Warning),
				fmt.Sprintf("reads all rows of %s to check them against the partition's bounds, under an AccessExclusiveLock: every query on %[1]s waits", s.Name(sc.Relation)),
				s.boundsHelp(rel, false))
		}
		s.missingIndexes()
	},
}

// missingIndexes reports tables in which ATTACH builds the indexes of the parent that they have no like of.
func (s *Step) missingIndexes() {
	if !s.alters(pgast.AlterTableType_AT_AttachPartition) {
		return
	}
	rv := s.Stmt.Node.GetAlterTableStmt().Relation
	parent := s.Before.Relation(rv.GetSchemaname(), rv.GetRelname())
	said := map[catalog.OID]bool{}
	for _, b := range s.Lock.Builds {
		rel := s.relation(b.Table)
		if parent == nil || rel == nil || s.IsNew(b.Table) || said[b.Table] {
			continue
		}
		said[b.Table] = true
		var names []string
		help := "Build them before, in a migration of its own that runs outside a transaction; ATTACH takes what is like its own:"
		for _, ix := range s.Before.Indexes(parent.OID) {
			if !slices.ContainsFunc(s.Lock.Builds, func(o lockmode.Build) bool { return o.Table == b.Table && strings.HasSuffix(o.Reason, " "+ix.Name) }) {
				continue
			}
			names = append(names, ix.Name)
			help += s.indexLike(rel, parent, ix)
		}
		s.ReportAt(s.Find("ATTACH", "PARTITION"), s.Sized(b.Table, Warning),
			fmt.Sprintf("builds indexes of %s that it has none like (%s): every query on %[1]s waits (AccessExclusiveLock) until its rows have been read and sorted", s.Name(b.Table), strings.Join(names, ", ")), help)
	}
}

// indexLike makes an index of a table that ATTACH takes for one of the parent, on a line of its own; in words, when there is more to it
// than columns, expressions and a condition.
func (s *Step) indexLike(rel, parent, ix *catalog.Relation) string {
	if ix.AccessMethod != "btree" || len(ix.Index.Include) > 0 || slices.ContainsFunc(ix.Index.Keys, func(k catalog.IndexKey) bool { return k.OpClass != "" || k.Collation != "" || k.Desc }) {
		return "\none with the definition of " + ix.Name
	}
	unique, name, where := "", "", ""
	if ix.Index.Unique {
		unique = "UNIQUE "
	}
	if ix.Index.Predicate != nil {
		where = " WHERE " + ix.Index.Predicate.SQL
	}
	con := constraintOf(s.Before, ix)
	kind := ""
	if con != nil {
		kind = map[catalog.ConstraintKind]string{catalog.PrimaryKey: "PRIMARY KEY", catalog.Unique: "UNIQUE"}[con.Kind]
		name = quoteIdent(rel.Name+"_"+ix.Name) + " "
	}
	sql := fmt.Sprintf("\nCREATE %sINDEX CONCURRENTLY %sON %s (%s)%s;", unique, name, s.sqlName(rel.OID), keySQL(parent, ix.Index), where)
	if kind != "" {
		sql += fmt.Sprintf("\nALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %[2]s;", s.sqlName(rel.OID), strings.TrimSpace(name), kind)
	}
	return sql
}

// excludesBounds reports whether a valid CHECK of the default partition is the one that boundsHelp advises.
func (s *Step) excludesBounds(rel *catalog.Relation) bool {
	plain := func(sql string) string {
		return strings.ToLower(strings.NewReplacer(" ", "", "\n", "", "\t", "", "(", "", ")", "").Replace(sql))
	}
	bounds := s.newBounds(rel)
	for _, con := range s.Before.Constraints(rel.OID) {
		if bounds != "" && con.Kind == catalog.Check && con.Valid && con.Check != nil && plain(con.Check.SQL) == plain("NOT ("+bounds+")") {
			return true
		}
	}
	return false
}

// boundsHelp is the CHECK that spares the reading of rel.
func (s *Step) boundsHelp(rel *catalog.Relation, negate bool) string {
	table, name := s.sqlName(rel.OID), quoteIdent(s.freeConstraint(rel.OID, rel.Name+"_bounds", nil))
	check := s.newBounds(rel)
	intro := "Let a CHECK with the bounds prove it beforehand, in one migration:"
	if check == "" {
		check = "the bounds"
	}
	if negate {
		check = "NOT (" + check + ")"
		intro = "Let a CHECK prove beforehand that the default partition holds none of those rows, in one migration:"
	}
	add := fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID", table, name, check)
	return fmt.Sprintf("%s\n%s;\nin the next, while everybody works:\nALTER TABLE %s VALIDATE CONSTRAINT %s;\nthen this statement, and after it:\nALTER TABLE %[3]s DROP CONSTRAINT %[4]s;", intro, add, table, name)
}

// newBounds is the condition of the partition that the statement makes, in SQL, on the columns of rel; "" when it takes
// more than comparing columns with constants.
func (s *Step) newBounds(rel *catalog.Relation) string {
	for _, c := range s.Changes {
		part, ok := c.New.(*catalog.Relation)
		if !ok || part.PartitionOf == 0 || part.Bound == nil {
			continue
		}
		if old, was := c.Old.(*catalog.Relation); was && old.PartitionOf != 0 {
			continue
		}
		parent := s.relation(part.PartitionOf)
		if parent == nil || parent.PartitionKey == nil || len(parent.PartitionKey.Columns) != 1 || parent.PartitionKey.Columns[0] == 0 {
			return ""
		}
		key := parent.Att(parent.PartitionKey.Columns[0])
		col := rel.Column(key.Name)
		if col == nil {
			return ""
		}
		return boundCondition(part.Bound.Node, parent.PartitionKey.Strategy, quoteIdent(key.Name), !col.NotNull)
	}
	return ""
}

func boundCondition(spec *pgast.PartitionBoundSpec, strategy, col string, nullable bool) string {
	var terms []string
	if nullable {
		terms = append(terms, col+" IS NOT NULL")
	}
	switch strategy {
	case "range":
		for _, side := range []struct {
			list []*pgast.Node
			op   string
		}{{spec.GetLowerdatums(), " >= "}, {spec.GetUpperdatums(), " < "}} {
			if len(side.list) != 1 {
				return ""
			}
			sql, err := pgast.DeparseExpr(side.list[0])
			if err != nil {
				return ""
			}
			if word := strings.ToLower(sql); word != "minvalue" && word != "maxvalue" {
				terms = append(terms, col+side.op+sql)
			}
		}
	case "list":
		var values []string
		for _, v := range spec.GetListdatums() {
			sql, err := pgast.DeparseExpr(v)
			if err != nil || strings.EqualFold(sql, "NULL") {
				return ""
			}
			values = append(values, sql)
		}
		if len(values) == 0 {
			return ""
		}
		if len(values) == 1 {
			terms = append(terms, col+" = "+values[0])
		} else {
			terms = append(terms, col+" IN ("+strings.Join(values, ", ")+")")
		}
	default:
		return ""
	}
	return strings.Join(terms, " AND ")
}
