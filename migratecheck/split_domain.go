package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// A column of a domain that has constraints makes every row be written, whether or not it gets a value (ATExecAddColumn in
// src/backend/commands/tablecmds.c, PostgreSQL 15; ATColumnChangeRequiresRewrite likewise). These splits have the table check what the
// domain would.

// constrainedDomain is the domain that a type is, nil when it is none or allows all values of its base type.
func (s *Step) constrainedDomain(t catalog.TypeRef) *catalog.Type {
	domain, _ := s.After.Get(t.OID).(*catalog.Type)
	if domain == nil || domain.Kind != catalog.DomainType || t.Array {
		return nil
	}
	if checks, notNull, _ := s.domainChecks(domain, ""); len(checks) > 0 || notNull {
		return domain
	}
	return nil
}

// newDomain is the domain with constraints that a column becomes of.
func (s *Step) newDomain(r retyped) *catalog.Type {
	if r.now == nil {
		return nil
	}
	return s.constrainedDomain(r.now.Type)
}

// domainChecks are the conditions that a domain, and those beneath it, put to a value, as conditions of the column, and the type
// beneath them all.
func (s *Step) domainChecks(domain *catalog.Type, column string) (checks []string, notNull bool, base catalog.TypeRef) {
	for {
		notNull = notNull || domain.NotNull
		for _, con := range s.After.Constraints(domain.OID) {
			if con.Kind != catalog.Check || con.Check == nil || con.Check.Node == nil {
				continue
			}
			check := pgast.Clone(con.Check.Node)
			pgast.Walk(check, func(n *pgast.Node) bool {
				if names := words(n.GetColumnRef().GetFields()); len(names) == 1 && names[0] == "value" {
					n.GetColumnRef().Fields[0] = &pgast.Node{Node: &pgast.Node_String_{String_: &pgast.String{Sval: column}}}
				}
				return true
			})
			if text, err := pgast.DeparseExpr(check); err == nil {
				checks = append(checks, "("+text+")")
			}
		}
		next, _ := s.After.Get(domain.Base.OID).(*catalog.Type)
		if next == nil || next.Kind != catalog.DomainType || domain.Base.Array {
			return checks, notNull, domain.Base
		}
		domain = next
	}
}

// checkColumn is the CHECK that stands for those of a domain; note says so of new rows, prove reads the old ones while everybody
// works. Both are "" of a domain that is NOT NULL only.
func (s *Step) checkColumn(table string, rel *catalog.Relation, column string, checks []string) (note, prove string) {
	if len(checks) == 0 {
		return "", ""
	}
	name := quoteIdent(rel.Name + "_" + column + "_check")
	return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID;\n", table, name, strings.Join(checks, " AND ")),
		fmt.Sprintf("in a later migration (another transaction)\nALTER TABLE %s VALIDATE CONSTRAINT %s;", table, name)
}

// addDomainColumnHelp adds a column of a domain's base type.
func (s *Step) addDomainColumnHelp(table string, rel *catalog.Relation, col *catalog.Column, domain *catalog.Type) string {
	checks, notNull, base := s.domainChecks(domain, col.Name)
	name, typ := quoteIdent(col.Name), s.After.FormatType(base)
	def := col.Default
	if def == nil {
		def = domain.Default
	}
	constant := def != nil && def.Volatility != catalog.Volatile
	var b strings.Builder
	fmt.Fprintf(&b, "A domain with a constraint makes every row be written. Take its base type, and let the table check what the domain does:\nALTER TABLE %s ADD COLUMN %s %s", table, name, typ)
	if constant {
		b.WriteString(" DEFAULT " + def.SQL)
	}
	b.WriteString(";\n")
	if def != nil && !constant {
		fmt.Fprintf(&b, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n", table, name, def.SQL)
	}
	note, prove := s.checkColumn(table, rel, col.Name, checks)
	b.WriteString(note)
	if def != nil && !constant || def == nil && (notNull || col.NotNull) {
		b.WriteString("then fill the old rows in batches, each its own transaction\n")
	}
	b.WriteString(prove)
	if notNull || col.NotNull {
		b.WriteString("\nand as for NULL\n" + s.notNullSteps(rel.OID, col.Name))
	}
	return strings.TrimRight(b.String(), "\n")
}

// changeToDomainHelp gives a column the constraints of a domain instead of the domain.
func (s *Step) changeToDomainHelp(r retyped, domain *catalog.Type) string {
	checks, notNull, base := s.domainChecks(domain, r.old.Name)
	table := s.sqlName(r.table.OID)
	if was, is := s.Before.FormatType(r.old.Type), s.After.FormatType(base); was != is {
		return fmt.Sprintf("Keep the type of the column; a domain with a constraint makes every row be written, also in a new column. Make one of type %s beside it, with the domain's conditions as a CHECK of the table, fill it in batches and let the code move over.", is)
	}
	note, prove := s.checkColumn(table, r.table, r.old.Name, checks)
	help := "Keep the type of the column, which is the domain's, and let the table check what the domain does:\n" + note + prove
	if notNull {
		help += "\nand as for NULL\n" + s.notNullSteps(r.table.OID, r.old.Name)
	}
	return help
}
