package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// Dump prints the catalog as text, sorted by name and without OIDs: what the tests compare.
func (c *Catalog) Dump() string {
	var b strings.Builder
	var lines []string
	for o := range c.All() {
		if text := c.dumpObject(o); text != "" {
			lines = append(lines, text)
		}
	}
	slices.Sort(lines)
	for _, l := range lines {
		b.WriteString(l)
	}
	return b.String()
}

func (c *Catalog) dumpObject(o Object) string {
	var b strings.Builder
	if c.extensionMember(o.ObjectID()) {
		return ""
	}
	switch o := o.(type) {
	case *Schema:
		if o.OID < FirstUserOID {
			return ""
		}
		fmt.Fprintf(&b, "schema %s\n", quoteIdent(o.Name))
	case *Relation:
		c.dumpRelation(&b, o)
	case *Constraint:
		if o.Domain != 0 {
			fmt.Fprintf(&b, "constraint %s on domain %s: %s\n", o.Name, c.NameOf(o.Domain), c.constraintText(o))
		}
	case *Type:
		fmt.Fprintf(&b, "type %s %c", c.NameOf(o.OID), o.Kind)
		if o.Kind == EnumType {
			fmt.Fprintf(&b, " %q", o.Labels)
		}
		if o.Base.OID != 0 {
			fmt.Fprintf(&b, " %s", c.FormatType(o.Base))
		}
		if o.NotNull {
			b.WriteString(" not null")
		}
		b.WriteString("\n")
	case *Func:
		fmt.Fprintf(&b, "function %s %c returns %s\n", c.signature(o), o.Kind, c.FormatType(o.Returns))
	case *Extension:
		fmt.Fprintf(&b, "extension %s\n", o.Name)
	case *Trigger, *Rule, *Policy:
		fmt.Fprintf(&b, "%s\n", c.describe(Address{OID: o.ObjectID()}, false))
	case *Other:
		fmt.Fprintf(&b, "%s %s\n", o.Kind, c.NameOf(o.OID))
	}
	for _, num := range c.commentedColumns(o.ObjectID()) {
		a := Address{o.ObjectID(), num}
		fmt.Fprintf(&b, "  comment on %s: %q\n", c.describe(a, false), c.Comment(a))
	}
	return b.String()
}

func (c *Catalog) commentedColumns(oid OID) []int {
	var list []int
	c.comments.Ascend(Address{OID: oid}.key(), func(k uint64, _ string) bool {
		if OID(k>>32) != oid {
			return false
		}
		list = append(list, int(uint32(k)))
		return true
	})
	return list
}

func (c *Catalog) dumpRelation(b *strings.Builder, r *Relation) {
	if r.Index != nil {
		return // printed with its table
	}
	fmt.Fprintf(b, "%s %s", r.kindWord(), c.NameOf(r.OID))
	switch r.Persistence {
	case Temporary:
		b.WriteString(" temporary")
	case Unlogged:
		b.WriteString(" unlogged")
	}
	if r.Assumed {
		b.WriteString(" assumed")
	}
	for _, p := range r.Inherits {
		fmt.Fprintf(b, " inherits %s", c.NameOf(p))
	}
	if r.Bound != nil {
		fmt.Fprintf(b, " %s", r.Bound.SQL)
	}
	if k := r.PartitionKey; k != nil {
		fmt.Fprintf(b, " partition by %s (%s)", k.Strategy, strings.Join(c.columnNames(r.OID, k.Columns), ", "))
	}
	if r.RowSecurity {
		b.WriteString(" rls")
	}
	if r.ForceRLS {
		b.WriteString(" force-rls")
	}
	if r.ReplicaIdent != 'd' && r.ReplicaIdent != 'n' && r.ReplicaIdent != 0 {
		fmt.Fprintf(b, " replica %c", r.ReplicaIdent)
	}
	if len(r.Options) > 0 {
		fmt.Fprintf(b, " with (%s)", strings.Join(r.Options, ", "))
	}
	if s := r.Seq; s != nil {
		fmt.Fprintf(b, " as %s start %d increment %d min %d max %d cache %d cycle %t", c.FormatType(s.Type), s.Start, s.Increment, s.Min, s.Max, s.Cache, s.Cycle)
		if s.OwnedBy.OID != 0 {
			fmt.Fprintf(b, " owned by %s.%s", c.NameOf(s.OwnedBy.OID), c.relation(s.OwnedBy.OID).Columns[s.OwnedBy.Column-1].Name)
		}
		if s.Identity {
			b.WriteString(" identity")
		}
	}
	b.WriteString("\n")
	if r.Kind != Sequence {
		c.dumpColumns(b, r)
	}
	if r.Query != nil && r.Query.SQL != "" {
		fmt.Fprintf(b, "  as %s\n", r.Query.SQL)
	}
	var lines []string
	for _, con := range c.Constraints(r.OID) {
		lines = append(lines, fmt.Sprintf("  constraint %s %s\n", quoteIdent(con.Name), c.constraintText(con)))
	}
	slices.Sort(lines)
	for _, l := range lines {
		b.WriteString(l)
	}
	lines = lines[:0]
	for _, x := range c.Indexes(r.OID) {
		lines = append(lines, "  index "+quoteIdent(x.Name)+" "+c.indexText(x)+"\n")
	}
	slices.Sort(lines)
	for _, l := range lines {
		b.WriteString(l)
	}
}

func (c *Catalog) dumpColumns(b *strings.Builder, r *Relation) {
	for _, col := range r.Columns {
		if col.Dropped {
			fmt.Fprintf(b, "  %d (dropped)\n", col.Num)
			continue
		}
		fmt.Fprintf(b, "  %d %s %s", col.Num, quoteIdent(col.Name), c.FormatType(col.Type))
		if col.NotNull {
			b.WriteString(" not null")
		}
		if col.Collation != "" {
			fmt.Fprintf(b, " collate %s", col.Collation)
		}
		if col.Storage != "" {
			fmt.Fprintf(b, " storage %s", col.Storage)
		}
		switch {
		case col.Generated != 0 && col.Default != nil:
			fmt.Fprintf(b, " generated (%s)", col.Default.SQL)
		case col.Identity != 0:
			fmt.Fprintf(b, " identity %c", col.Identity)
		}
		if col.Generated == 0 && col.Default != nil {
			fmt.Fprintf(b, " default %s", col.Default.SQL)
		}
		if col.Missing {
			b.WriteString(" missing")
		}
		if col.Inherited > 0 {
			fmt.Fprintf(b, " inherited %d", col.Inherited)
		}
		if !col.Local {
			b.WriteString(" not local")
		}
		if col.Stats >= 0 {
			fmt.Fprintf(b, " statistics %d", col.Stats)
		}
		b.WriteString("\n")
	}
}

func (c *Catalog) constraintText(con *Constraint) string {
	var b strings.Builder
	of := strings.Join(c.columnNames(con.Table, con.Columns), ", ")
	switch con.Kind {
	case Check:
		fmt.Fprintf(&b, "check (%s)", con.Check.SQL)
		if con.NoInherit {
			b.WriteString(" no inherit")
		}
	case NotNullCon:
		b.WriteString("not null")
		if con.Table != 0 {
			b.WriteString(" " + of)
		}
		if con.NoInherit {
			b.WriteString(" no inherit")
		}
	case ForeignKey:
		fmt.Fprintf(&b, "foreign key (%s) references %s (%s) %c%c%c", of, c.NameOf(con.RefTable), strings.Join(c.columnNames(con.RefTable, con.RefColumns), ", "), con.OnUpdate, con.OnDelete, con.Match)
		if con.SetColumns != nil {
			fmt.Fprintf(&b, " set (%s)", strings.Join(c.columnNames(con.Table, con.SetColumns), ", "))
		}
		fmt.Fprintf(&b, " by %s", c.NameOf(con.Index))
	case PrimaryKey:
		fmt.Fprintf(&b, "primary key (%s)", of)
	case Unique:
		fmt.Fprintf(&b, "unique (%s)", of)
	case Exclusion:
		fmt.Fprintf(&b, "exclude (%s) %v", of, con.Operators)
	}
	if !con.Valid {
		b.WriteString(" not valid")
	}
	if con.Deferrable {
		b.WriteString(" deferrable")
	}
	if con.Deferred {
		b.WriteString(" initially deferred")
	}
	if con.Inherited > 0 {
		fmt.Fprintf(&b, " inherited %d", con.Inherited)
	}
	if !con.Local {
		b.WriteString(" not local")
	}
	if p := c.Get(con.Parent); p != nil {
		fmt.Fprintf(&b, " parent %s", p.ObjectName())
	}
	return b.String()
}

func (c *Catalog) indexText(r *Relation) string {
	var b strings.Builder
	x := r.Index
	if x.Unique {
		b.WriteString("unique ")
	}
	fmt.Fprintf(&b, "%s (", r.AccessMethod)
	for i, key := range x.Keys {
		if i > 0 {
			b.WriteString(", ")
		}
		if key.Expr != nil {
			fmt.Fprintf(&b, "(%s)", key.Expr.SQL)
		} else if t := c.relation(x.Table); t != nil {
			b.WriteString(strings.Join(c.columnNames(x.Table, []int{key.Column}), ""))
		}
		if key.Collation != "" {
			fmt.Fprintf(&b, " collate %s", key.Collation)
		}
		if key.OpClass != "" {
			fmt.Fprintf(&b, " %s", key.OpClass)
		}
		if key.Desc {
			b.WriteString(" desc")
		}
		if key.NullsFirst {
			b.WriteString(" nulls first")
		}
	}
	b.WriteString(")")
	if len(x.Include) > 0 {
		fmt.Fprintf(&b, " include (%s)", strings.Join(c.columnNames(x.Table, x.Include), ", "))
	}
	if x.NullsNotDistinct {
		b.WriteString(" nulls not distinct")
	}
	if x.Predicate != nil {
		fmt.Fprintf(&b, " where %s", x.Predicate.SQL)
	}
	if !x.Valid {
		b.WriteString(" invalid")
	}
	if x.Parent != 0 {
		fmt.Fprintf(&b, " of %s", c.NameOf(x.Parent))
	}
	return b.String()
}

// extensionMember tells whether an extension brought the object.
func (c *Catalog) extensionMember(oid OID) bool {
	return slices.ContainsFunc(c.Dependencies(oid), func(d Dep) bool { return d.Type == DepExtension })
}
