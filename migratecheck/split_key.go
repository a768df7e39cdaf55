package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// replaceKeyHelp is the change of the type of a column that others hang on: of an integer primary key that becomes wider, a second
// column that a trigger keeps the same until it takes the place of the first, in one transaction that reads no table. The text is made as
// those of the splits of a rename: a line that begins with a small letter is for the reader, every other one is SQL.
func (s *Step) replaceKeyHelp(r retyped) string {
	refs, seq, why := s.replaceableKey(r)
	if why != "" {
		return fmt.Sprintf("Keep the type, or make the change on a new column beside it: what hangs on this one (%s) has to be made again for that. Or take the service down for it on purpose.", why)
	}
	rel, table := r.table, s.sqlName(r.table.OID)
	o, n := quoteIdent(r.old.Name), quoteIdent(r.old.Name+"_new")
	sync, index := quoteIdent(rel.Name+"_"+r.old.Name+"_sync"), quoteIdent(rel.Name+"_"+r.old.Name+"_new_key")
	pkey := ""
	for _, con := range s.Before.Constraints(rel.OID) {
		if con.Kind == catalog.PrimaryKey {
			pkey = quoteIdent(con.Name)
		}
	}
	note, prove, rest := s.notNullSQL(rel.OID, r.old.Name+"_new")
	var b strings.Builder
	fmt.Fprintf(&b, "Split it; the code goes on using %[3]s, and must not take columns by their place (SELECT *, INSERT without names), for %[3]s comes last then. First a second column, which a trigger keeps the same (in a StatementBegin block, where the tool has one):\n"+
		`ALTER TABLE %[1]s ADD COLUMN %[4]s %[5]s;
CREATE FUNCTION %[2]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.%[4]s := NEW.%[3]s; RETURN NEW; END $$;
CREATE TRIGGER %[2]s BEFORE INSERT OR UPDATE ON %[1]s FOR EACH ROW EXECUTE FUNCTION %[2]s();
%[6]s
then, in batches (by ranges of a key):
UPDATE %[1]s SET %[4]s = %[3]s WHERE %[4]s IS NULL;
then, in a migration of its own that runs outside a transaction:
CREATE UNIQUE INDEX CONCURRENTLY %[7]s ON %[1]s (%[4]s);
%[8]s
then all in one transaction, which reads no table and needs a short lock_timeout:
`, table, sync, o, n, r.to, note, index, prove)
	var later strings.Builder
	for _, con := range refs {
		fmt.Fprintf(&b, "ALTER TABLE %s DROP CONSTRAINT %s;\n", s.sqlName(con.Table), quoteIdent(con.Name))
	}
	fmt.Fprintf(&b, "DROP TRIGGER %s ON %s;\nDROP FUNCTION %[1]s();\n", sync, table)
	if rest != "" { // else the validated NOT NULL is the column's
		b.WriteString(rest + "\n")
	}
	if seq != nil {
		name := s.sqlName(seq.OID)
		fmt.Fprintf(&b, "ALTER SEQUENCE %[1]s OWNED BY %[2]s.%[3]s;\nALTER SEQUENCE %[1]s AS %[5]s;\nALTER TABLE %[2]s ALTER COLUMN %[3]s SET DEFAULT nextval(%[4]s);\n", name, table, n, quoteLiteral(name), r.to)
	}
	fmt.Fprintf(&b, "ALTER TABLE %[1]s DROP COLUMN %[2]s;\nALTER TABLE %[1]s RENAME COLUMN %[3]s TO %[2]s;\nALTER TABLE %[1]s ADD CONSTRAINT %[4]s PRIMARY KEY USING INDEX %[5]s;", table, o, n, pkey, index)
	if r.old.Identity != 0 {
		kind := map[byte]string{'a': "ALWAYS", 'd': "BY DEFAULT"}[r.old.Identity]
		fmt.Fprintf(&b, "\nALTER TABLE %[1]s ALTER COLUMN %[2]s ADD GENERATED %[3]s AS IDENTITY;\nSELECT setval(pg_get_serial_sequence(%[4]s, %[5]s), coalesce(max(%[2]s), 0) + 1, false) FROM %[1]s;",
			table, o, kind, quoteLiteral(table), quoteLiteral(r.old.Name))
	}
	for _, con := range refs {
		fmt.Fprintf(&b, "\nALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;", s.sqlName(con.Table), quoteIdent(con.Name), s.constraintSQL(con))
		fmt.Fprintf(&later, "\nALTER TABLE %s VALIDATE CONSTRAINT %s;", s.sqlName(con.Table), quoteIdent(con.Name))
	}
	if later.Len() > 0 {
		b.WriteString("\nand in the next migration, while everybody works:" + later.String())
	}
	return b.String()
}

// replaceableKey tells what has to be made again when another column takes the place of a primary key: the foreign keys that
// refer to it, and its sequence, nil for none; or why that is more than replaceKeyHelp can say.
func (s *Step) replaceableKey(r retyped) (refs []*catalog.Constraint, seq *catalog.Relation, why string) {
	from, to := s.Before.FormatType(r.old.Type), r.to
	at := catalog.Address{OID: r.table.OID, Column: r.old.Num}
	for _, con := range s.Before.ReferencedBy(r.table.OID) {
		if child, ok := s.Before.Get(con.Table).(*catalog.Relation); !ok || child.Kind != catalog.Table || con.Parent != 0 {
			return nil, nil, "foreign key " + con.Name + " of partitions"
		}
		refs = append(refs, con)
	}
	for _, d := range s.Before.Dependents(at) {
		switch o := s.Before.Get(d.OID).(type) {
		case *catalog.Constraint:
			switch {
			case o.Kind == catalog.PrimaryKey && len(o.Columns) == 1, o.Kind == catalog.NotNullCon, o.Kind == catalog.ForeignKey && o.RefTable == r.table.OID && o.Table != r.table.OID:
			default:
				why = "constraint " + o.Name
			}
		case *catalog.Relation:
			switch {
			case o.Kind == catalog.Sequence:
				seq = o
			case o.OID == r.table.OID && d.Default:
			case o.Index != nil && o.Index.Primary:
			default:
				why = o.Name
			}
		case nil:
		default:
			why = o.ObjectName()
		}
	}
	switch {
	case why != "":
	case !s.inPrimaryKey(r.table.OID, r.old.Num):
		why = "what a DROP of it would be refused for"
	case seq == nil && r.old.Default != nil:
		why = "its default"
	case r.table.Kind != catalog.Table || len(r.table.Inherits) > 0 || len(s.Before.Inheritors(r.table.OID)) > 0:
		why = "the same column of other tables"
	case len(s.Before.Triggers(r.table.OID)) > 0:
		why = "the triggers of the table, which may set it"
	case integerRank(from) == 0 || integerRank(to) <= integerRank(from):
		why = "the key, and what refers to it"
	}
	if r.old.Identity != 0 {
		seq = nil // it goes with the column, which gets another one
	}
	return refs, seq, why
}
