package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// alterDomain follows AlterDomainAddConstraint, AlterDomainValidateConstraint and AlterDomainNotNull
// (src/backend/commands/typecmds.c): every table with a column of the domain is locked SHARE and read.
func (a *analyzer) alterDomain(s *pgast.AlterDomainStmt) {
	switch s.Subtype {
	case "C":
		if s.Def.GetConstraint().GetSkipValidation() {
			return
		}
	case "V", "O":
	default:
		return
	}
	names := namesOf(s.TypeName)
	domain := a.domainNamed(names)
	if domain == nil {
		a.note("the tables that use the domain are not known")
		return
	}
	if (s.Subtype == "O" || s.Def.GetConstraint().GetContype() == pgast.ConstrType_CONSTR_NOTNULL) && domain.NotNull {
		return
	}
	reason := "checks the values of domain " + domain.Name
	for o := range a.before.All() {
		rel, ok := o.(*catalog.Relation)
		if !ok || rel.Kind != catalog.Table && rel.Kind != catalog.MatView {
			continue
		}
		for i := range rel.Columns {
			if col := &rel.Columns[i]; !col.Dropped && a.overDomain(col.Type, domain.OID) {
				a.lockRel(rel, Share)
				a.scan(a.target(rel), ScanValidate, reason)
			}
		}
	}
}

// overDomain tells whether a type is the domain or a domain over it.
func (a *analyzer) overDomain(t catalog.TypeRef, domain catalog.OID) bool {
	for !t.Array {
		if t.OID == domain {
			return true
		}
		d, ok := a.before.Get(t.OID).(*catalog.Type)
		if !ok || d.Kind != catalog.DomainType {
			return false
		}
		t = d.Base
	}
	return false
}

func (a *analyzer) domainNamed(names []string) *catalog.Type {
	if len(names) == 0 {
		return nil
	}
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	var found *catalog.Type
	for o := range a.before.All() {
		t, ok := o.(*catalog.Type)
		if ok && t.Kind == catalog.DomainType && t.Name == names[len(names)-1] && (schema == "" || a.before.NameOf(t.OID).Schema == schema) {
			found = t
		}
	}
	return found
}
