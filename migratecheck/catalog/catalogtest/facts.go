package catalogtest

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5/pgtype"
)

// notCompared lists the fields that make no fact, each with its reason. fields_test.go holds that every other field is
// compared, and that no entry here is stale.
func notCompared() map[string]string {
	return map[string]string{
		"Extension.Known":    "whether our catalog has the members; the server always has",
		"Column.Num":         "the place in Columns says it; ourWorld checks that both agree",
		"Extension.Version":  "depends on the contrib package installed, not on the statements",
		"Expr.Unknown":       "our own doubt; the server has none",
		"Query.Unknown":      "our own doubt; the server has none",
		"Relation.Assumed":   "only in open catalogs, which have no server to agree with",
		"Column.Assumed":     "only in open catalogs",
		"Constraint.Assumed": "only in open catalogs",
		"Type.Assumed":       "only in open catalogs",
		"Func.Assumed":       "only in open catalogs",
		"Schema.Assumed":     "only in open catalogs",
		"Trigger.Assumed":    "only in open catalogs",
		"Rule.Assumed":       "only in open catalogs",
		"Policy.Assumed":     "only in open catalogs",
		"Extension.Assumed":  "only in open catalogs",
		"Other.Assumed":      "only in open catalogs",
	}
}

// snapshot prints every object.
func (w *world) snapshot() *Snapshot {
	p := &printer{w: w, s: &Snapshot{objects: map[string]map[string]fact{}}, types: pgtype.NewMap()}
	for oid, o := range w.objects {
		if w.isBuiltin(o) || w.members[oid] || w.partOfMember(o) {
			continue
		}
		p.object(o)
	}
	return p.s
}

// isBuiltin tells what every database has.
func (w *world) isBuiltin(o catalog.Object) bool {
	switch o := o.(type) {
	case *catalog.Schema:
		return o.Name == "pg_catalog" || o.Name == "pg_toast" || o.Name == "information_schema" || o.Name == "pg_temp"
	}
	if s, ok := w.objects[o.ObjectSchema()].(*catalog.Schema); ok {
		return s.Name == "pg_catalog" || s.Name == "information_schema"
	}
	return false
}

// partOfMember tells whether o belongs to a table or type of an extension.
func (w *world) partOfMember(o catalog.Object) bool {
	switch o := o.(type) {
	case *catalog.Relation:
		return o.Index != nil && w.members[o.Index.Table] || o.Kind == catalog.CompositeRel && w.compositeOfMember(o.OID)
	case *catalog.Constraint:
		return w.members[o.Table] || w.members[o.Domain]
	case *catalog.Trigger:
		return w.members[o.Table]
	case *catalog.Rule:
		return w.members[o.Table]
	case *catalog.Type:
		return o.Range != 0 && w.members[o.Range]
	}
	return false
}

func (w *world) compositeOfMember(rel catalog.OID) bool {
	for oid := range w.members {
		if t, ok := w.objects[oid].(*catalog.Type); ok && t.Relation == rel {
			return true
		}
	}
	return false
}

// printer turns structs into facts.
type printer struct {
	w     *world
	s     *Snapshot
	types *pgtype.Map
}

func (p *printer) object(o catalog.Object) {
	key := p.key(o)
	p.s.set(key, "exists", fact{value: "yes"})
	switch o := o.(type) {
	case *catalog.Relation:
		p.relation(key, o)
	case *catalog.Rule:
		p.fields(key, "", reflect.ValueOf(*o), o, 0)
		p.ruleText(key, o)
	case *catalog.Func:
		p.fields(key, "", reflect.ValueOf(*o), o, 0)
		p.sqlBody(key, o)
	default:
		p.fields(key, "", reflect.ValueOf(o).Elem(), o, 0)
	}
	p.annotations(key, o.ObjectID(), 0)
}

func (p *printer) relation(key string, o *catalog.Relation) {
	shallow := *o
	shallow.Columns = nil
	p.fields(key, "", reflect.ValueOf(shallow), o, 0)
	switch o.Kind {
	case catalog.Index, catalog.PartitionedIndex, catalog.Sequence:
		// Their columns follow from IndexAttrs and from being a sequence.
		return
	}
	for i, c := range o.Columns {
		ck := fmt.Sprintf("column %s.%s", p.name(o.OID), c.Name)
		if c.Dropped {
			p.s.set(fmt.Sprintf("column %s.#%d", p.name(o.OID), i+1), "Dropped", fact{value: "true"})
			continue
		}
		p.s.set(ck, "number", fact{value: strconv.Itoa(i + 1)})
		if c.Num != i+1 {
			p.s.set(ck, "Num", fact{value: fmt.Sprintf("%d at place %d", c.Num, i+1)})
		}
		p.fields(ck, "", reflect.ValueOf(c), o, i+1)
		p.annotations(ck, o.OID, i+1)
	}
}

func (p *printer) annotations(key string, oid catalog.OID, column int) {
	at := catalog.Address{OID: oid, Column: column}
	if _, ok := p.w.objects[oid].(*catalog.Extension); ok {
		return // its first comment comes from the control file
	}
	if text := p.w.comments[at]; text != "" {
		p.s.set(key, "comment", fact{value: text})
	}
	for _, g := range p.w.grants[at] {
		slices.Sort(g.Privileges)
		slices.Sort(g.Grantable)
		who := g.Grantee
		if who == "" {
			who = "PUBLIC"
		}
		p.s.set(key, "Privileges of "+who, fact{value: strings.Join(g.Privileges, ",")})
		if len(g.Grantable) > 0 {
			p.s.set(key, "Grantable by "+who, fact{value: strings.Join(g.Grantable, ",")})
		}
	}
}

// fields prints a struct's fields below prefix. column is set when the struct is a column of owner.
func (p *printer) fields(key, prefix string, v reflect.Value, owner catalog.Object, column int) {
	t := v.Type()
	skip := notCompared()
	for i := range t.NumField() {
		name := t.Field(i).Name
		if !t.Field(i).IsExported() {
			continue // what the package keeps for itself can be derived from the rest
		}
		if name == "OID" && t.Field(i).Type == reflect.TypeFor[catalog.OID]() && t != reflect.TypeFor[catalog.TypeRef]() && t != reflect.TypeFor[catalog.Address]() {
			continue // the identity, which all references are printed through
		}
		if _, ok := skip[t.Name()+"."+name]; ok {
			continue
		}
		p.field(key, prefix+name, t.Name()+"."+name, v.Field(i), owner, column)
	}
}

func (p *printer) field(key, property, field string, v reflect.Value, owner catalog.Object, column int) {
	set := func(value string) {
		if value != "" {
			p.s.set(key, property, fact{value: value})
		}
	}
	switch x := v.Interface().(type) {
	case catalog.OID:
		if x != 0 {
			set(p.name(x))
		}
	case []catalog.OID:
		set(joined(x, p.name))
	case catalog.Address:
		if x.OID != 0 {
			set(p.address(x))
		}
	case []catalog.Address:
		set(p.refs(x, owner))
	case catalog.TypeRef:
		if x.OID != 0 {
			set(p.typeName(x))
		}
	case *catalog.Expr:
		if x != nil {
			p.expr(key, property, *x, owner, p.context(field, owner, column))
		}
	case []catalog.Expr:
		for i, e := range x {
			p.expr(key, fmt.Sprintf("%s[%d]", property, i), e, owner, p.context(field, owner, column))
		}
	case []catalog.IndexKey:
		for i, k := range x {
			p.fields(key, fmt.Sprintf("%s[%d].", property, i), reflect.ValueOf(k), owner, column)
			p.s.set(key, fmt.Sprintf("%s[%d]", property, i), fact{value: "is a key"})
		}
	case []catalog.FuncArg:
		for i, a := range x {
			p.fields(key, fmt.Sprintf("%s[%d].", property, i), reflect.ValueOf(a), owner, i)
		}
	case *catalog.Query:
		if x != nil {
			p.text(key, property, x.SQL, x.Node, p.context(field, owner, column), pgast.Deparse)
			q := *x
			q.SQL, q.Node = "", nil
			p.fields(key, property+".", reflect.ValueOf(q), owner, column)
		}
	case *catalog.Bound:
		if x != nil {
			p.bound(key, property, x, owner)
		}
	case []string:
		set(strings.Join(x, "; "))
	case []int:
		set(joined(x, strconv.Itoa))
	case *pgast.Node, *pgast.RuleStmt, *pgast.PartitionBoundSpec, []catalog.Column:
		// Printed with the text beside them, or by relation.
	default:
		if v.Kind() == reflect.Pointer {
			if !v.IsNil() {
				p.s.set(key, property, fact{value: "yes"})
				p.fields(key, property+".", v.Elem(), owner, column)
			}
			return
		}
		set(scalar(v))
	}
}

func joined[T any](list []T, print func(T) string) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = print(x)
	}
	return strings.Join(parts, ", ")
}

func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return "true"
		}
		return ""
	case reflect.Uint8:
		if v.Uint() == 0 {
			return ""
		}
		return string(rune(v.Uint()))
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	}
	panic(fmt.Sprintf("catalogtest: a field of type %s has no printer; add one in facts.go", v.Type()))
}

// expr prints an expression: its text, which is compared as a tree, and the rest to the letter.
func (p *printer) expr(key, property string, e catalog.Expr, owner catalog.Object, where expression) {
	p.text(key, property, e.SQL, e.Node, where, pgast.DeparseExpr)
	e.SQL, e.Node = "", nil
	p.fields(key, property+".", reflect.ValueOf(e), owner, 0)
}

// text prints SQL text. Our side has it twice, as text and as tree, which must agree.
func (p *printer) text(key, property, sql string, node *pgast.Node, where expression, deparse func(*pgast.Node) (string, error)) {
	where.sql = sql
	p.s.set(key, property, fact{value: sql, text: &where})
	p.s.set(key, property+".Node", fact{value: p.agree(sql, node, deparse)})
}

func (p *printer) agree(sql string, node *pgast.Node, deparse func(*pgast.Node) (string, error)) string {
	if !p.w.ours {
		return "says the same"
	}
	if node == nil {
		return "missing"
	}
	text, err := deparse(node)
	if err != nil {
		return err.Error()
	}
	if text != sql {
		return "says " + text
	}
	return "says the same"
}

func (p *printer) bound(key, property string, b *catalog.Bound, owner catalog.Object) {
	where := p.context("Relation.Bound", owner, 0)
	where.sql = b.SQL
	p.s.set(key, property, fact{value: b.SQL, text: &where})
	node := "says the same"
	if p.w.ours && b.Node == nil {
		node = "missing"
	}
	p.s.set(key, property+".Node", fact{value: node})
	if b.Default {
		p.s.set(key, property+".Default", fact{value: "true"})
	}
}

func (p *printer) ruleText(key string, o *catalog.Rule) {
	text := p.w.ruleText[o.OID]
	if p.w.ours {
		text = "missing"
		if o.Node != nil {
			sql, err := pgast.Deparse(&pgast.Node{Node: &pgast.Node_RuleStmt{RuleStmt: o.Node}})
			if err != nil {
				sql = err.Error()
			}
			text = sql
		}
	}
	p.s.set(key, "Node", fact{value: text, text: &expression{kind: ruleText, sql: text, table: p.quoted(o.Table)}})
}

func (p *printer) sqlBody(key string, o *catalog.Func) {
	text := p.w.sqlBody[o.OID]
	if p.w.ours && o.BodyNode != nil {
		// The deparser has no entry point for a bare body; that there is one is what is compared.
		text = "yes"
	}
	if text != "" {
		p.s.set(key, "BodyNode", fact{value: "yes"})
	}
}

// key names an object for its facts.
func (p *printer) key(o catalog.Object) string {
	switch o := o.(type) {
	case *catalog.Other:
		return o.Kind + " " + p.name(o.OID)
	}
	return string(o.Class()) + " " + p.name(o.ObjectID())
}

// name replaces a number by what both sides call the object.
func (p *printer) name(oid catalog.OID) string {
	o := p.w.objects[oid]
	if o == nil {
		if rel, ok := p.w.rowTypes[oid]; ok {
			return p.name(rel)
		}
		if oid < catalog.FirstUserOID {
			return p.builtin(oid)
		}
		return fmt.Sprintf("?%d", oid)
	}
	switch o := o.(type) {
	case *catalog.Schema:
		return o.Name
	case *catalog.Constraint:
		if o.Table == 0 {
			return o.Name + " on " + p.name(o.Domain)
		}
		return o.Name + " on " + p.name(o.Table)
	case *catalog.Trigger:
		return o.Name + " on " + p.name(o.Table)
	case *catalog.Rule:
		return o.Name + " on " + p.name(o.Table)
	case *catalog.Policy:
		return o.Name + " on " + p.name(o.Table)
	case *catalog.Func:
		var args []string
		for _, a := range o.Args {
			if a.Mode != 'o' && a.Mode != 't' {
				args = append(args, p.typeName(a.Type))
			}
		}
		return p.schema(o.Schema) + o.Name + "(" + strings.Join(args, ", ") + ")"
	}
	return p.schema(o.ObjectSchema()) + o.ObjectName()
}

func (p *printer) schema(oid catalog.OID) string {
	if oid == 0 {
		return ""
	}
	if s, ok := p.w.objects[oid].(*catalog.Schema); ok {
		if s.Name == "pg_catalog" {
			return ""
		}
		return s.Name + "."
	}
	return fmt.Sprintf("?%d.", oid)
}

// builtin names a type of the server's that pgx knows too; others keep their number, which both sides share.
func (p *printer) builtin(oid catalog.OID) string {
	if t, ok := p.types.TypeForOID(uint32(oid)); ok {
		return t.Name
	}
	return fmt.Sprintf("#%d", oid)
}

func (p *printer) typeName(t catalog.TypeRef) string {
	name := p.name(t.OID)
	if t.OID < catalog.FirstUserOID {
		name = p.builtin(t.OID)
	}
	if t.Mod != -1 {
		name += fmt.Sprintf("(mod %d)", t.Mod)
	}
	if t.Array {
		name += "[]"
	}
	return name
}

func (p *printer) address(a catalog.Address) string {
	name := p.name(a.OID)
	if a.Column == 0 {
		return name
	}
	if r, ok := p.w.objects[a.OID].(*catalog.Relation); ok && a.Column <= len(r.Columns) && a.Column > 0 {
		return name + "." + r.Columns[a.Column-1].Name
	}
	return fmt.Sprintf("%s.#%d", name, a.Column)
}

// refs prints what an expression needs, without the server's own objects, and without the table that its owner is part
// of and goes with anyway.
func (p *printer) refs(list []catalog.Address, owner catalog.Object) string {
	var names []string
	for _, a := range list {
		if a.Column == 0 && a.OID != 0 && a.OID == catalog.TableOf(owner) {
			continue
		}
		o := p.w.objects[a.OID]
		if a.OID < catalog.FirstUserOID || o != nil && p.w.isBuiltin(o) {
			continue
		}
		if s, ok := o.(*catalog.Schema); ok && s.Name == "public" {
			continue
		}
		names = append(names, p.address(a))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
