package catalog

import (
	"cmp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// setPartitionKey stores PARTITION BY (transformPartitionSpec, ComputePartitionAttrs).
func (c *Catalog) setPartitionKey(rel OID, spec *pgast.PartitionSpec) error {
	key := &PartitionKey{}
	switch spec.Strategy {
	case pgast.PartitionStrategy_PARTITION_STRATEGY_LIST:
		key.Strategy = "list"
	case pgast.PartitionStrategy_PARTITION_STRATEGY_HASH:
		key.Strategy = "hash"
	default:
		key.Strategy = "range"
	}
	if key.Strategy == "list" && len(spec.PartParams) != 1 {
		return errorf("42P17", "cannot use \"list\" partition strategy with more than one column")
	}
	for _, n := range spec.PartParams {
		elem := n.GetPartitionElem()
		if elem.Name != "" {
			col := c.relation(rel).Column(elem.Name)
			if col == nil {
				return errorf("42703", "column \"%s\" named in partition key does not exist", elem.Name)
			}
			if col.Generated != 0 {
				e := errorf("42P17", "cannot use generated column in partition key")
				e.Detail = "Column \"" + col.Name + "\" is a generated column."
				return e
			}
			key.Columns = append(key.Columns, col.Num)
			continue
		}
		e, err := c.newExpr(elem.Expr, c.relation(rel))
		if err != nil {
			return err
		}
		if elem.Expr.GetColumnRef() != nil && len(e.Refs) == 1 && e.Refs[0].OID == rel {
			key.Columns = append(key.Columns, e.Refs[0].Column)
			continue
		}
		if err := e.checkPlain("partition key expression"); err != nil {
			return err
		}
		if c.mutable(e, c.relation(rel)) {
			return errorf("42P17", "functions in partition key expression must be marked IMMUTABLE")
		}
		if e.Constant {
			return errorf("42P17", "cannot use constant expression as partition key")
		}
		key.Columns = append(key.Columns, 0)
		key.Exprs = append(key.Exprs, *e)
		for _, ref := range e.Refs {
			if ref.OID != rel {
				c.addDep(Address{OID: rel}, ref, DepNormal)
			}
		}
	}
	c.editRelation(rel, func(r *Relation) { r.PartitionKey = key })
	return nil
}

// inPartitionKey tells whether a column is used by the table's partition key.
func (o *Relation) inPartitionKey(num int) bool {
	if o.PartitionKey == nil {
		return false
	}
	if slices.Contains(o.PartitionKey.Columns, num) {
		return true
	}
	for _, e := range o.PartitionKey.Exprs {
		if slices.Contains(e.Refs, Address{o.OID, num}) {
			return true
		}
	}
	return false
}

// setBound stores FOR VALUES … of a partition (transformPartitionBound, check_new_partition_bound).
func (c *Catalog) setBound(rel OID, spec *pgast.PartitionBoundSpec, eff *Effects) error {
	r := c.relation(rel)
	parent := c.relation(r.PartitionOf)
	strategy := ""
	if parent.PartitionKey != nil {
		strategy = parent.PartitionKey.Strategy
	}
	bound := &Bound{Default: spec.IsDefault, Node: spec, SQL: "DEFAULT"}
	if spec.IsDefault {
		if strategy == "hash" {
			return errorf("42P17", "a hash-partitioned table may not have a default partition")
		}
	} else {
		if want := map[string]string{"l": "list", "r": "range", "h": "hash"}[spec.Strategy]; strategy != "" && want != strategy {
			return errorf("42P16", "invalid bound specification for a %s partition", strategy)
		}
		if spec.Strategy == "r" && strategy != "" {
			n := len(parent.PartitionKey.Columns)
			if len(spec.Lowerdatums) != n {
				return errorf("42P17", "FROM must specify exactly one value per partitioning column")
			}
			if len(spec.Upperdatums) != n {
				return errorf("42P17", "TO must specify exactly one value per partitioning column")
			}
		}
		bound.SQL = c.boundSQL(parent, spec)
		if computed(spec) {
			eff.Gaps = append(eff.Gaps, "the value of a partition bound that is computed: "+bound.SQL)
		}
	}
	for _, other := range c.Inheritors(parent.OID) {
		if other.OID == rel || other.Bound == nil {
			continue
		}
		if bound.Default && other.Bound.Default {
			return errorf("42P17", "partition \"%s\" conflicts with existing default partition \"%s\"", r.Name, other.Name)
		}
		if !bound.Default && !other.Bound.Default && overlap(bound.Node, other.Bound.Node) {
			return errorf("42P17", "partition \"%s\" would overlap partition \"%s\"", r.Name, other.Name)
		}
	}
	c.editRelation(rel, func(r *Relation) { r.Bound = bound })
	return nil
}

// computed tells whether a bound holds more than constants: the server stores what they amount to when the statement runs.
func computed(spec *pgast.PartitionBoundSpec) bool {
	return slices.ContainsFunc(slices.Concat(spec.Listdatums, spec.Lowerdatums, spec.Upperdatums), func(n *pgast.Node) bool {
		for n.GetTypeCast() != nil {
			n = n.GetTypeCast().Arg
		}
		return n.GetAConst() == nil && n.GetColumnRef() == nil // MINVALUE and MAXVALUE are parsed as names
	})
}

// overlap tells whether two bounds have a value in common; only what can be told without comparing values of types.
func overlap(a, b *pgast.PartitionBoundSpec) bool {
	switch {
	case a.Strategy != b.Strategy:
		return false
	case a.Strategy == "l":
		for _, x := range a.Listdatums {
			for _, y := range b.Listdatums {
				if boundDatum(x, TypeRef{}) == boundDatum(y, TypeRef{}) {
					return true
				}
			}
		}
	case a.Strategy == "h":
		m := min(a.Modulus, b.Modulus)
		return m > 0 && a.Remainder%m == b.Remainder%m
	case len(a.Lowerdatums) == 1 && len(b.Lowerdatums) == 1 && len(a.Upperdatums) == 1 && len(b.Upperdatums) == 1:
		al, aok := rangeBound(a.Lowerdatums[0])
		au, bok := rangeBound(a.Upperdatums[0])
		bl, cok := rangeBound(b.Lowerdatums[0])
		bu, dok := rangeBound(b.Upperdatums[0])
		return aok && bok && cok && dok && al < bu && bl < au
	}
	return false
}

// rangeBound reads an integer bound, MINVALUE and MAXVALUE as the ends of the range.
func rangeBound(n *pgast.Node) (float64, bool) {
	if v := n.GetAConst().GetIval(); v != nil {
		return float64(v.GetIval()), true
	}
	switch boundDatum(n, TypeRef{}) {
	case "MINVALUE":
		return -1e300, true
	case "MAXVALUE":
		return 1e300, true
	}
	return 0, false
}

// boundSQL prints a bound as pg_get_expr(relpartbound) does.
func (c *Catalog) boundSQL(parent *Relation, spec *pgast.PartitionBoundSpec) string {
	typ := func(i int) TypeRef {
		if parent.PartitionKey == nil || i >= len(parent.PartitionKey.Columns) {
			return TypeRef{}
		}
		if col := parent.Att(parent.PartitionKey.Columns[i]); col != nil {
			return col.Type
		}
		return TypeRef{}
	}
	join := func(list []*pgast.Node, same bool) string {
		var parts []string
		for i, n := range list {
			if same {
				i = 0
			}
			parts = append(parts, boundDatum(n, typ(i)))
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	switch spec.Strategy {
	case "l":
		return "FOR VALUES IN " + join(spec.Listdatums, true)
	case "r":
		return "FOR VALUES FROM " + join(spec.Lowerdatums, false) + " TO " + join(spec.Upperdatums, false)
	}
	return "FOR VALUES WITH (modulus " + itoa(int(spec.Modulus)) + ", remainder " + itoa(int(spec.Remainder)) + ")"
}

// boundDatum prints one value of a bound: numbers bare where the key is one, everything else as a string.
func boundDatum(n *pgast.Node, t TypeRef) string {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	if ref := n.GetColumnRef(); ref != nil {
		return strings.ToUpper(strings.Join(stringsOf(ref.Fields), "."))
	}
	k := n.GetAConst()
	if k == nil {
		s, err := pgast.DeparseExpr(n)
		if err != nil {
			return "?"
		}
		return s
	}
	if k.Isnull {
		return "NULL"
	}
	text := constText(n)
	_, boolean := k.Val.(*pgast.A_Const_Boolval)
	// get_const_expr (src/backend/utils/adt/ruleutils.c)
	digit := text != "" && text[0] >= '0' && text[0] <= '9'
	switch t.OID {
	case typeInt4:
		if digit {
			return text
		}
	case typeNumeric:
		if digit && strings.ContainsAny(text, "eE.") {
			return text
		}
	case typeBool:
		if text == "t" || text == "f" || boolean {
			return map[bool]string{true: "true", false: "false"}[text[0] == 't']
		}
	case 0:
		if k.GetSval() == nil {
			return text
		}
	}
	return "'" + escapeQuote(text) + "'"
}

// partitions lists the partitions of a table in the order of their bounds, the default one last, as PostgreSQL goes
// through them where names depend on the order (RelationBuildPartitionDesc); the other children of a table by creation.
func (c *Catalog) partitions(table OID) []*Relation {
	list := c.Inheritors(table)
	slices.SortStableFunc(list, func(a, b *Relation) int {
		if a.Bound == nil || b.Bound == nil {
			return 0
		}
		if a.Bound.Default != b.Bound.Default {
			if a.Bound.Default {
				return 1
			}
			return -1
		}
		return compareBounds(a.Bound.Node, b.Bound.Node)
	})
	return list
}

func compareBounds(a, b *pgast.PartitionBoundSpec) int {
	if a == nil || b == nil || a.Strategy != b.Strategy {
		return 0
	}
	least := func(list []*pgast.Node) []*pgast.Node {
		if a.Strategy != "l" || len(list) == 0 {
			return list
		}
		return []*pgast.Node{slices.MinFunc(list, compareDatums)}
	}
	switch a.Strategy {
	case "h":
		return cmp.Or(cmp.Compare(a.Modulus, b.Modulus), cmp.Compare(a.Remainder, b.Remainder))
	case "l":
		return slices.CompareFunc(least(a.Listdatums), least(b.Listdatums), compareDatums)
	}
	return slices.CompareFunc(a.Lowerdatums, b.Lowerdatums, compareDatums)
}

// compareDatums orders numbers by value and everything else as text; NULL comes last.
func compareDatums(x, y *pgast.Node) int {
	a, aok := rangeBound(x)
	b, bok := rangeBound(y)
	if aok && bok {
		return cmp.Compare(a, b)
	}
	s, t := boundDatum(x, TypeRef{}), boundDatum(y, TypeRef{})
	if (s == "NULL") != (t == "NULL") {
		if s == "NULL" {
			return 1
		}
		return -1
	}
	return strings.Compare(s, t)
}

// cloneToPartition gives a new partition what its parent has: indexes, row triggers, foreign keys (DefineRelation,
// CloneRowTriggersToPartition, CloneForeignKeyConstraints).
func (c *Catalog) cloneToPartition(parent, part OID, eff *Effects) error {
	for _, index := range c.Indexes(parent) {
		if err := c.indexOnPartition(index, c.relation(part), true, eff); err != nil {
			return err
		}
	}
	for _, t := range c.Triggers(parent) {
		if !t.Row {
			continue
		}
		def := &pgast.CreateTrigStmt{Trigname: t.Name, Row: true, Isconstraint: t.Constraint != 0}
		if err := c.cloneTrigger(t, c.relation(parent), c.relation(part), def, eff); err != nil {
			return err
		}
	}
	var referencing, referenced []*Constraint
	for _, con := range c.ReferencedBy(parent) {
		if up, ok := c.Get(con.Parent).(*Constraint); ok && up.RefTable == con.RefTable {
			continue // a partition's copy of a foreign key that points here: its parent is in the list itself
		}
		if con.Table == part {
			continue // its own, from when it was attached before: it becomes the parent's below
		}
		referenced = append(referenced, con)
	}
	for _, con := range c.Constraints(parent) {
		if con.Kind != ForeignKey {
			continue
		}
		if up, ok := c.Get(con.Parent).(*Constraint); ok && up.Table == con.Table {
			continue // a row for a partition of the referenced table
		}
		referencing = append(referencing, con)
	}
	for _, con := range referenced {
		if err := c.referencePartition(con, c.relation(part), con.Name); err != nil {
			return err
		}
	}
	for _, con := range referencing {
		if err := c.foreignKeyToPartition(con, part, eff); err != nil {
			return err
		}
	}
	return nil
}
