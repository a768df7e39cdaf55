package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func (c *Catalog) relationFacts(f *facts, r *Relation) {
	switch r.Persistence {
	case Unlogged:
		f.set("persistence", "unlogged")
	case Temporary:
		f.set("persistence", "temporary")
	}
	if r.Index != nil {
		c.indexFacts(f, r)
		return
	}
	var parents []string
	for _, p := range r.Inherits {
		parents = append(parents, c.NameOf(p).String())
	}
	f.set("parents", strings.Join(parents, ", "))
	if bound := r.Bound; bound != nil {
		f.properties["bound"] = fact{text: bound.SQL, form: func() *serverForm { return c.boundForm(r) }}
	}
	if k := r.PartitionKey; k != nil {
		columns := append([]string{k.Strategy}, c.columnNames(r.OID, k.Columns)...)
		for i := range k.Exprs {
			columns = append(columns, canonicalSQL(k.Exprs[i].Node))
		}
		f.set("partition key", strings.Join(columns, " "))
	}
	f.flag("row security", r.RowSecurity)
	f.flag("forced row security", r.ForceRLS)
	switch r.ReplicaIdent {
	case 'f':
		f.set("replica identity", "full")
	case 'i':
		f.set("replica identity", "index "+c.NameOf(r.ReplicaIndex).Name)
	case 'n':
		if r.Kind == Table || r.Kind == PartitionedTable {
			f.set("replica identity", "nothing")
		}
	}
	f.set("options", strings.Join(r.Options, ", "))
	f.set("tablespace", r.Tablespace)
	if r.AccessMethod != "heap" {
		f.set("access method", r.AccessMethod)
	}
	f.set("server", r.ForeignServer)
	f.set("of type", c.NameOf(r.OfType).String())
	f.set("clustered on", c.NameOf(r.ClusterIndex).Name)
	if q := r.Query; q != nil {
		f.properties["query"] = fact{text: q.SQL, form: func() *serverForm { return c.viewForm(r) }}
		f.set("check option", q.CheckOption)
	}
	if s := r.Seq; s != nil {
		f.set("type", c.FormatType(s.Type))
		f.set("start", fmt.Sprint(s.Start))
		f.set("increment", fmt.Sprint(s.Increment))
		f.set("minimum", fmt.Sprint(s.Min))
		f.set("maximum", fmt.Sprint(s.Max))
		f.set("cache", fmt.Sprint(s.Cache))
		f.flag("cycle", s.Cycle)
		if t := c.relation(s.OwnedBy.OID); t != nil {
			f.set("owner", c.NameOf(t.OID).String()+"."+t.Columns[s.OwnedBy.Column-1].Name)
		}
	}
}

func (c *Catalog) indexFacts(f *facts, r *Relation) {
	x := r.Index
	f.set("method", r.AccessMethod)
	f.flag("unique", x.Unique)
	f.flag("nulls not distinct", x.NullsNotDistinct)
	f.flag("invalid", !x.Valid)
	f.set("options", strings.Join(r.Options, ", "))
	f.set("tablespace", r.Tablespace)
	keys := func(print func(e *Expr) string) string {
		var text []string
		for _, key := range x.Keys {
			t := strings.Join(c.columnNames(x.Table, []int{key.Column}), "")
			if key.Expr != nil {
				t = print(key.Expr)
			}
			rest := ""
			if key.Collation != "" {
				rest += " COLLATE " + key.Collation
			}
			if key.OpClass != "" {
				rest += " " + key.OpClass
			}
			if key.Desc {
				rest += " DESC"
			}
			if key.NullsFirst != key.Desc {
				rest += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[key.NullsFirst]
			}
			text = append(text, t+rest)
		}
		return strings.Join(text, ", ")
	}
	f.properties["keys"] = fact{
		text: keys(func(e *Expr) string { return "(" + e.SQL + ")" }),
		form: func() *serverForm {
			var exprs []*pgast.Node
			text := keys(func(e *Expr) string { exprs = append(exprs, e.Node); return "" })
			form := c.serverForm("", exprs...)
			form.shape += text
			return form
		},
	}
	f.set("included columns", strings.Join(c.columnNames(x.Table, x.Include), ", "))
	c.expr(f, "predicate", x.Predicate, noType)
}

func (c *Catalog) constraintFacts(f *facts, con *Constraint) {
	f.set("kind", map[ConstraintKind]string{
		Check: "check", ForeignKey: "foreign key", PrimaryKey: "primary key", Unique: "unique", Exclusion: "exclusion", TriggerCon: "trigger",
	}[con.Kind])
	f.flag("not valid", !con.Valid)
	f.flag("deferrable", con.Deferrable)
	f.flag("initially deferred", con.Deferred)
	if con.Kind == Check {
		f.flag("no inherit", con.NoInherit)
		c.expr(f, "expression", con.Check, noType)
		return
	}
	f.set("columns", strings.Join(c.columnNames(con.Table, con.Columns), ", "))
	f.set("operators", strings.Join(con.Operators, ", "))
	if con.Kind != ForeignKey {
		return
	}
	f.set("references", c.NameOf(con.RefTable).String()+" ("+strings.Join(c.columnNames(con.RefTable, con.RefColumns), ", ")+")")
	f.set("on update", foreignAction(con.OnUpdate))
	f.set("on delete", foreignAction(con.OnDelete))
	f.set("set columns", strings.Join(c.columnNames(con.Table, con.SetColumns), ", "))
	if con.Match == 'f' {
		f.set("match", "full")
	}
}

func foreignAction(b byte) string {
	switch b {
	case 'r':
		return "restrict"
	case 'c':
		return "cascade"
	case 'n':
		return "set null"
	case 'd':
		return "set default"
	}
	return "no action"
}

func (c *Catalog) functionFacts(f *facts, fn *Func) {
	f.set("kind", string(rune(fn.Kind)))
	returns := ""
	if fn.Returns.known() {
		returns = c.FormatType(fn.Returns)
	}
	if fn.ReturnsSet {
		returns = "setof " + returns
	}
	f.set("result", returns)
	var args []string
	for _, a := range fn.Args {
		args = append(args, strings.TrimSpace(string(rune(a.Mode))+" "+a.Name+" "+c.FormatType(a.Type)))
		c.expr(f, "default of "+cmp.Or(a.Name, "an argument"), a.Default, a.Type)
	}
	f.set("arguments", strings.Join(args, ", "))
	f.set("language", fn.Language)
	f.set("volatility", string(rune(fn.Volatility)))
	f.flag("strict", fn.Strict)
	f.flag("security definer", fn.SecurityDefiner)
	f.flag("leakproof", fn.Leakproof)
	if fn.Parallel != 0 && fn.Parallel != 'u' {
		f.set("parallel", string(rune(fn.Parallel)))
	}
	f.set("settings", strings.Join(fn.Settings, ", "))
	f.set("body", strings.TrimSpace(fn.Body))
	if fn.BodyNode != nil {
		f.properties["body"] = fact{text: canonicalSQL(fn.BodyNode), form: func() *serverForm { return c.serverForm("", fn.BodyNode) }}
	}
}

func (c *Catalog) triggerFacts(f *facts, t *Trigger) {
	when := "after"
	switch {
	case t.Before:
		when = "before"
	case t.InsteadOf:
		when = "instead of"
	}
	f.set("time", when)
	var events []string
	for _, e := range []struct {
		on   bool
		name string
	}{{t.Insert, "insert"}, {t.Update, "update"}, {t.Delete, "delete"}, {t.Truncate, "truncate"}} {
		if e.on {
			events = append(events, e.name)
		}
	}
	f.set("events", strings.Join(events, ", "))
	columns := c.columnNames(t.Table, t.Columns)
	slices.Sort(columns)
	f.set("columns", strings.Join(columns, ", "))
	f.flag("for each row", t.Row)
	f.set("function", c.NameOf(t.Function).String())
	c.expr(f, "condition", t.When, noType)
	if t.Enabled != 'O' && t.Enabled != 0 {
		f.set("enabled", string(rune(t.Enabled)))
	}
	f.flag("deferrable", t.Deferrable)
	f.flag("initially deferred", t.Deferred)
	f.set("transition tables", strings.TrimSpace(t.OldTable+" "+t.NewTable))
}
