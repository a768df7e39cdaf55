package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// renameSchemaHelp is a change of a schema's name over releases: for as long as both are used the new one holds views of what is in the old.
func (s *Step) renameSchemaHelp(old *catalog.Schema, to string) string {
	const keep = "Keep the name (code that is new can set search_path instead of naming it)."
	if s.Before.Open {
		return keep + " Else, release by release: the new schema with a view of each table, code that uses it, and, when no older code runs, the views away and the old schema renamed."
	}
	was, is := quoteIdent(old.Name), quoteIdent(to)
	var create, drop []string
	var rest bool // what a view is no second name for
	for o := range s.Before.All() {
		switch o := o.(type) {
		case *catalog.Func:
			rest = rest || o.Schema == old.OID
		case *catalog.Relation:
			switch {
			case o.Schema != old.OID || o.PartitionOf != 0:
				continue // partitions are reached by their parent
			case isTable(o), o.Kind == catalog.View, o.Kind == catalog.MatView:
			default:
				rest = rest || o.Kind == catalog.Sequence && (o.Seq == nil || o.Seq.OwnedBy.OID == 0)
				continue
			}
			options := ""
			if o.RowSecurity {
				if s.File.Run.Config.version() < 15 {
					return keep + " Before PostgreSQL 15 a view under a second name would go around the policies of " + s.sqlName(o.OID) + "."
				}
				options = " WITH (security_invoker = true)"
			}
			name := quoteIdent(o.Name)
			create = append(create, fmt.Sprintf("CREATE VIEW %s.%s%s AS SELECT * FROM %s.%[2]s;", is, name, options, was))
			drop = append(drop, fmt.Sprintf("DROP VIEW %s.%s;", is, name))
		}
	}
	slices.Sort(create)
	slices.Sort(drop)
	var b strings.Builder
	b.WriteString(keep + " If it must change, split it over releases:\n")
	b.WriteString("release 1, with code that names " + is)
	if rest {
		b.WriteString(", but for functions and sequences, which have one name only")
	}
	fmt.Fprintf(&b, ":\nCREATE SCHEMA %s;\n", is)
	for _, stmt := range create {
		b.WriteString(stmt + "\n")
	}
	b.WriteString("with the rights on it, and on each view, that there are on the old one")
	b.WriteString("\nrelease 2, when no older code runs, in one transaction:\n")
	for _, stmt := range drop {
		b.WriteString(stmt + "\n")
	}
	fmt.Fprintf(&b, "DROP SCHEMA %s;\nALTER SCHEMA %s RENAME TO %[1]s;", is, was)
	return b.String()
}
