package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Difference is one thing in which two catalogs differ, by name.
type Difference struct {
	// Kind is "table", "column", "index", "constraint", "function", … as messages name it.
	Kind string
	// Name is the object's; of a column, constraint, index, trigger, rule or policy, Table is what it belongs to.
	Name, Table Name
	// Property is what about the object differs ("type", "default", "definition", …), "" when only one side has it.
	Property string
	// A and B are the two values; "" is absent. With Property "", one of them is "present".
	A, B        string
	Description string // "column t.c: type integer, other side bigint"
}

// Compare lists the differences between two catalogs, sorted by kind and name. Objects are matched by name, not by OID;
// the order of columns and of creation does not count, nor do casts and qualifications in expressions that a dump adds.
func Compare(a, b *Catalog) []Difference {
	oids, _ := touchedBetween(a.log, b.log)
	if !related(a.log, b.log) {
		oids = nil
	}
	left, right := a.withDefaultPath().facts(oids), b.withDefaultPath().facts(oids)
	var list []Difference
	for key, x := range left {
		y, both := right[key]
		if !both {
			list = append(list, x.difference("", "present", ""))
			continue
		}
		for property, v := range x.properties {
			if w := y.properties[property]; !v.equal(w) {
				list = append(list, x.difference(property, v.text, w.text))
			}
		}
		for property, w := range y.properties {
			if _, seen := x.properties[property]; !seen && w.text != "" {
				list = append(list, x.difference(property, "", w.text))
			}
		}
	}
	for key, y := range right {
		if _, both := left[key]; !both {
			list = append(list, y.difference("", "", "present"))
		}
	}
	list = slices.DeleteFunc(list, func(d Difference) bool { return d.Property == "" && wholeMissing(d, left, right) })
	slices.SortFunc(list, func(x, y Difference) int {
		return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Table.String(), y.Table.String()),
			strings.Compare(x.Name.String(), y.Name.String()), strings.Compare(x.Property, y.Property), strings.Compare(x.A, y.A))
	})
	return list
}

// withDefaultPath is a clone in which names print as they do in a new session.
func (c *Catalog) withDefaultPath() *Catalog {
	d := c.Clone()
	d.changeSetting("search_path", setting{})
	return d
}

// facts is what is compared about one object.
type facts struct {
	kind        string
	name, table Name
	of          string // key of the table that it belongs to, "" when to none
	properties  map[string]fact
}

// fact is the value of a property: its text, and for SQL a form that does not depend on how it was written.
type fact struct {
	text string
	form func() *serverForm
}

func (v fact) equal(w fact) bool {
	return v.text == w.text || v.form != nil && w.form != nil && !v.form().differs(w.form())
}

func (f *facts) difference(property, a, b string) Difference {
	d := Difference{Kind: f.kind, Name: f.name, Table: f.table, Property: property, A: a, B: b}
	label := f.kind + " "
	switch {
	case f.kind == "column":
		label += f.table.String() + "." + f.name.Name
	case f.table != Name{} && f.kind != "index":
		label += f.name.String() + " on " + f.table.String()
	default:
		label += f.name.String()
	}
	or := func(s string) string {
		if s == "" {
			return "none"
		}
		return s
	}
	switch {
	case property == "" && b == "":
		d.Description = label + ": missing on the other side"
	case property == "":
		d.Description = label + ": only on the other side"
	default:
		d.Description = fmt.Sprintf("%s: %s %s, other side %s", label, property, or(a), or(b))
	}
	return d
}

// wholeMissing tells whether a difference only repeats that the table it is about is missing.
func wholeMissing(d Difference, left, right map[string]*facts) bool {
	if d.Table == (Name{}) {
		return false
	}
	side := left
	if d.A == "" {
		side = right
	}
	other := right
	if d.A == "" {
		other = left
	}
	for _, f := range side {
		if f.kind == d.Kind && f.name == d.Name && f.table == d.Table && f.of != "" {
			_, there := other[f.of]
			return !there
		}
	}
	return false
}

// related tells whether the catalogs have a common past, so that only what was touched since can differ.
func related(a, b *touched) bool {
	for a != b {
		if b == nil || a != nil && a.depth > b.depth {
			a = a.prev
		} else {
			b = b.prev
		}
	}
	return a != nil
}

// facts collects what is compared, by key: of the given objects and the tables they belong to, or of all.
func (c *Catalog) facts(oids []OID) map[string]*facts {
	all := map[string]*facts{}
	done := map[OID]bool{}
	add := func(o Object) {
		if o == nil || done[o.ObjectID()] || c.ignored(o) {
			return
		}
		done[o.ObjectID()] = true
		for _, f := range c.factsOf(o) {
			all[f.kind+"\x00"+f.table.Schema+"\x00"+f.table.Name+"\x00"+f.name.Schema+"\x00"+f.name.Name] = f
		}
	}
	if oids == nil {
		for o := range c.All() {
			add(o)
		}
		return all
	}
	for _, oid := range oids {
		o := c.Get(oid)
		add(o)
		if o != nil {
			for _, p := range parentsOf(o) {
				add(c.Get(p))
			}
		}
	}
	return all
}

// ignored leaves out what every database has, what an extension brings, and what ends with the session.
func (c *Catalog) ignored(o Object) bool {
	if o.ObjectID() < FirstUserOID || c.extensionMember(o.ObjectID()) {
		return true
	}
	switch o := o.(type) {
	case *Relation:
		if o.Persistence == Temporary {
			return true
		}
		return o.Index != nil && c.ignoredTable(o.Index.Table)
	case *Constraint:
		return o.Table != 0 && c.ignoredTable(o.Table) || o.Kind == TriggerCon
	case *Schema:
		return o.Name == tempSchema
	case *Type:
		return o.Kind == MultirangeType
	case *Trigger:
		return o.Parent != 0
	}
	return false
}

func (c *Catalog) ignoredTable(oid OID) bool {
	r := c.relation(oid)
	return r == nil || r.Persistence == Temporary || c.extensionMember(oid)
}

func (c *Catalog) tableKey(oid OID) string {
	r := c.relation(oid)
	if r == nil {
		return ""
	}
	n := c.NameOf(oid)
	return r.kindWord() + "\x00\x00\x00" + n.Schema + "\x00" + n.Name
}

// part starts the facts of something that belongs to a table.
func (c *Catalog) part(kind, name string, table OID) *facts {
	return &facts{kind: kind, name: Name{Name: name}, table: c.NameOf(table), of: c.tableKey(table), properties: map[string]fact{}}
}

func (f *facts) set(property, text string) {
	if text != "" {
		f.properties[property] = fact{text: text}
	}
}

func (f *facts) flag(property string, on bool) {
	if on {
		f.set(property, "yes")
	}
}

// expr notes an expression, whose value is of a type where that is known.
func (c *Catalog) expr(f *facts, property string, e *Expr, typ TypeRef) {
	if e != nil {
		f.properties[property] = fact{text: e.SQL, form: func() *serverForm { return c.serverForm(c.typeName(typ), e.Node) }}
	}
}

var noType TypeRef

func (c *Catalog) factsOf(o Object) []*facts {
	f := &facts{kind: string(o.Class()), name: c.NameOf(o.ObjectID()), properties: map[string]fact{}}
	list := []*facts{f}
	switch o := o.(type) {
	case *Schema:
		f.name = Name{Name: o.Name}
	case *Relation:
		f.kind = o.kindWord()
		if o.Index != nil {
			f.table, f.of = c.NameOf(o.Index.Table), c.tableKey(o.Index.Table)
		}
		c.relationFacts(f, o)
		if o.Index == nil && o.Seq == nil {
			for i := range o.Columns {
				if col := &o.Columns[i]; !col.Dropped {
					list = append(list, c.columnFacts(o, col))
				}
			}
		}
	case *Constraint:
		f = c.part("constraint", o.Name, cmp.Or(o.Table, o.Domain))
		list[0] = f
		c.constraintFacts(f, o)
	case *Type:
		f.set("kind", string(rune(o.Kind)))
		f.set("labels", strings.Join(o.Labels, ", "))
		if o.Kind == DomainType {
			f.set("base type", c.FormatType(o.Base))
			f.flag("not null", o.NotNull)
			c.expr(f, "default", o.Default, o.Base)
		}
		if o.Subtype.known() {
			f.set("subtype", c.FormatType(o.Subtype))
		}
		f.set("collation", o.Collation)
	case *Func:
		f.name.Name = strings.TrimPrefix(c.signature(o), f.name.Schema+".")
		c.functionFacts(f, o)
	case *Trigger:
		f = c.part("trigger", o.Name, o.Table)
		list[0] = f
		c.triggerFacts(f, o)
	case *Rule:
		f = c.part("rule", o.Name, o.Table)
		list[0] = f
		f.set("event", o.Event)
		f.flag("instead", o.Instead)
		f.set("enabled", string(rune(o.Enabled)))
	case *Policy:
		f = c.part("policy", o.Name, o.Table)
		list[0] = f
		f.set("command", o.Command)
		f.flag("permissive", o.Permissive)
		f.set("roles", strings.Join(o.Roles, ", "))
		c.expr(f, "using", o.Using, noType)
		c.expr(f, "with check", o.WithCheck, noType)
	case *Other:
		f.kind = o.Kind
	}
	if _, ok := o.(*Extension); !ok { // pg_dump repeats the one that the extension brings
		f.set("comment", c.Comment(Address{OID: o.ObjectID()}))
	}
	f.set("privileges", c.grantText(Address{OID: o.ObjectID()}))
	return list
}

func (c *Catalog) grantText(a Address) string {
	grants, _ := c.grants.Get(a.key())
	var parts []string
	for _, g := range grants {
		who := g.Grantee
		if who == "" {
			who = "PUBLIC"
		}
		text := who + ": " + strings.Join(g.Privileges, ", ")
		if len(g.Grantable) > 0 {
			text += " (with grant option: " + strings.Join(g.Grantable, ", ") + ")"
		}
		parts = append(parts, text)
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func (c *Catalog) columnFacts(r *Relation, col *Column) *facts {
	f := c.part("column", col.Name, r.OID)
	f.set("type", c.FormatType(col.Type))
	f.flag("not null", col.NotNull)
	f.flag("not null is not proved", col.NotNullUnproved)
	f.set("collation", col.Collation)
	f.set("storage", col.Storage)
	f.set("compression", col.Compression)
	f.set("options", strings.Join(col.Options, ", "))
	if col.Stats >= 0 {
		f.set("statistics", strconv.Itoa(col.Stats))
	}
	switch col.Identity {
	case 'a':
		f.set("identity", "always")
	case 'd':
		f.set("identity", "by default")
	}
	if col.Generated != 0 {
		c.expr(f, "generated", col.Default, col.Type)
	} else {
		c.expr(f, "default", col.Default, col.Type)
	}
	at := Address{r.OID, col.Num}
	f.set("comment", c.Comment(at))
	f.set("privileges", c.grantText(at))
	return f
}
