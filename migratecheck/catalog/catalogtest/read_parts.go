package catalogtest

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

type constraintRow struct {
	OID                         catalog.OID
	Name, Kind                  string
	Table, Domain               catalog.OID
	Columns                     []int
	Index                       catalog.OID
	Tree, Check                 *string
	Valid, Deferrable, Deferred bool
	NoInherit                   bool
	Inherited                   int
	Local                       bool
	Parent, RefTable            catalog.OID
	RefColumns                  []int
	OnUpdate, OnDelete, Match   string
	SetColumns                  []int
	Operators                   []string
}

type triggerRow struct {
	OID, Table           catalog.OID
	Name                 string
	Function             catalog.OID
	Type                 int
	Columns              []int
	Tree                 *string
	Def, Enabled         string
	Constraint           catalog.OID
	Deferrable, Deferred bool
	OldTable, NewTable   string
	Parent               catalog.OID
}

type ruleRow struct {
	OID, Table   catalog.OID
	Name, Event  string
	Instead      bool
	Enabled, Def string
}

type policyRow struct {
	OID, Table           catalog.OID
	Name                 string
	Permissive           bool
	Command              string
	Roles                []string
	UsingTree, Using     *string
	CheckTree, WithCheck *string
}

func (r *reader) buildConstraints() {
	for _, c := range r.rows.Cons {
		con := &catalog.Constraint{
			OID: c.OID, Name: c.Name, Kind: catalog.ConstraintKind(first(c.Kind)), Table: c.Table, Domain: c.Domain,
			Columns: slices.DeleteFunc(c.Columns, func(num int) bool { return num < 0 }), // system columns are not kept
			Index:   c.Index, Valid: c.Valid, Deferrable: c.Deferrable, Deferred: c.Deferred,
			NoInherit: c.NoInherit, Inherited: c.Inherited, Local: c.Local, Parent: c.Parent, RefTable: c.RefTable,
			RefColumns: c.RefColumns, OnUpdate: first(c.OnUpdate), OnDelete: first(c.OnDelete), Match: first(c.Match),
			SetColumns: c.SetColumns, Operators: c.Operators,
		}
		if c.Check != nil {
			con.Check = r.trees.expr(*c.Check, *c.Tree, c.Table, c.OID)
		}
		r.w.add(con)
	}
}

// The bits of pg_trigger.tgtype (src/include/catalog/pg_trigger.h).
const (
	triggerForRow   = 1 << 0
	triggerBefore   = 1 << 1
	triggerInsert   = 1 << 2
	triggerDelete   = 1 << 3
	triggerUpdate   = 1 << 4
	triggerTruncate = 1 << 5
	triggerInstead  = 1 << 6
)

// buildTableParts reads triggers, rules and policies.
func (r *reader) buildTableParts() {
	for _, t := range r.rows.Triggers {
		trigger := &catalog.Trigger{
			OID: t.OID, Table: t.Table, Name: t.Name, Function: t.Function,
			Before: t.Type&triggerBefore != 0, InsteadOf: t.Type&triggerInstead != 0, Row: t.Type&triggerForRow != 0,
			Insert: t.Type&triggerInsert != 0, Update: t.Type&triggerUpdate != 0,
			Delete: t.Type&triggerDelete != 0, Truncate: t.Type&triggerTruncate != 0,
			Columns: t.Columns, Enabled: first(t.Enabled), Constraint: t.Constraint,
			Deferrable: t.Deferrable, Deferred: t.Deferred, OldTable: t.OldTable, NewTable: t.NewTable, Parent: t.Parent,
		}
		if t.Tree != nil {
			trigger.When = r.trees.expr(whenClause(t.Def), *t.Tree, t.Table, t.OID)
		}
		r.w.add(trigger)
	}
	events := map[string]string{"1": "SELECT", "2": "UPDATE", "3": "INSERT", "4": "DELETE"}
	for _, row := range r.rows.Rules {
		r.w.add(&catalog.Rule{
			OID: row.OID, Table: row.Table, Name: row.Name, Event: events[row.Event], Instead: row.Instead,
			Enabled: first(row.Enabled), Refs: r.refsOf(row.OID, 0),
		})
		r.w.ruleText[row.OID] = row.Def
	}
	commands := map[string]string{"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
	for _, p := range r.rows.Policies {
		pol := &catalog.Policy{
			OID: p.OID, Table: p.Table, Name: p.Name, Permissive: p.Permissive, Command: commands[p.Command], Roles: p.Roles,
		}
		if p.Using != nil {
			pol.Using = r.trees.expr(*p.Using, *p.UsingTree, p.Table, p.OID)
		}
		if p.WithCheck != nil {
			pol.WithCheck = r.trees.expr(*p.WithCheck, *p.CheckTree, p.Table, p.OID)
		}
		r.w.add(pol)
	}
}

// whenClause cuts the condition out of pg_get_triggerdef.
func whenClause(def string) string {
	_, rest, _ := strings.Cut(def, " WHEN (")
	i := strings.LastIndex(rest, ") EXECUTE FUNCTION ")
	if i < 0 {
		return rest
	}
	return rest[:i]
}

type typeRow struct {
	OID, Schema    catalog.OID
	Name, Kind     string
	Rel            catalog.OID
	RelKind        *string
	Base           catalog.OID
	Mod            int32
	NotNull        bool
	Tree, Def      *string
	Collation      *string
	Labels         []string
	Subtype, Range catalog.OID
	Shell          bool
	Elem           catalog.OID
	IsArray        bool
}

func (r *reader) buildTypes() {
	for _, row := range r.rows.Types {
		if row.IsArray {
			continue
		}
		if row.RelKind != nil && *row.RelKind != "c" {
			continue
		}
		t := &catalog.Type{
			OID: row.OID, Schema: row.Schema, Name: row.Name, Kind: catalog.TypeKind(first(row.Kind)), Labels: row.Labels,
			Relation: row.Rel, NotNull: row.NotNull, Range: row.Range, Shell: row.Shell,
		}
		if row.Collation != nil {
			t.Collation = *row.Collation
		}
		if t.Kind == catalog.DomainType {
			t.Base = r.typeRef(row.Base, row.Mod)
		}
		if row.Subtype != 0 {
			t.Subtype = r.typeRef(row.Subtype, -1)
		}
		if row.Def != nil {
			t.Default = r.trees.expr(*row.Def, *row.Tree, 0, row.OID)
		}
		r.w.add(t)
	}
}

type functionRow struct {
	OID, Schema      catalog.OID
	Name, Kind       string
	Types            []catalog.OID
	Modes, Names     []string
	NArgs, NDefaults int
	Tree             *string
	Defaults         []*string
	Returns          catalog.OID
	RetSet           bool
	Language         string
	Volatility       string
	Strict, SecDef   bool
	Leakproof        bool
	Parallel, Body   string
	SQLBody          *string
	Settings         []string
}

func (r *reader) buildFunctions() {
	for _, row := range r.rows.Functions {
		f := &catalog.Func{
			OID: row.OID, Schema: row.Schema, Name: row.Name, Kind: catalog.FunctionKind(first(row.Kind)),
			Returns: r.typeRef(row.Returns, -1), ReturnsSet: row.RetSet, Language: row.Language,
			Volatility: catalog.Volatility(first(row.Volatility)), Strict: row.Strict, SecurityDefiner: row.SecDef,
			Leakproof: row.Leakproof, Parallel: first(row.Parallel), Body: row.Body, Settings: row.Settings,
		}
		if row.SQLBody != nil {
			f.Body = ""
			r.w.sqlBody[row.OID] = *row.SQLBody
		}
		slices.Sort(f.Settings)
		defaults := 0
		for i, typ := range row.Types {
			a := catalog.FuncArg{Type: r.typeRef(typ, -1), Mode: 'i'}
			if i < len(row.Modes) {
				a.Mode = first(row.Modes[i])
			}
			if i < len(row.Names) {
				a.Name = row.Names[i]
			}
			if i < len(row.Defaults) && row.Defaults[i] != nil {
				a.Default = r.trees.expr(*row.Defaults[i], treeItem(*row.Tree, defaults), 0, row.OID)
				defaults++
			}
			f.Args = append(f.Args, a)
		}
		r.w.add(f)
	}
}

func (r *reader) buildGrants() {
	for _, g := range r.rows.Grants {
		r.w.grant(catalog.Address{OID: g.OID, Column: g.Column}, g.Grantee, g.Privilege, g.Grantable)
	}
	for _, a := range r.rows.ACLSet {
		r.w.aclSet[a.OID] = true
	}
}
