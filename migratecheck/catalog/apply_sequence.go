package catalog

import (
	"math"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func (c *Catalog) applyCreateSequence(s *pgast.CreateSeqStmt, eff *Effects) error {
	schema, err := c.creationSchema(s.Sequence)
	if err != nil {
		return err
	}
	exists, err := c.checkNewRelation(schema, s.Sequence.Relname, s.IfNotExists, false, eff)
	if exists || err != nil {
		return err
	}
	r := &Relation{OID: c.newOID(), Schema: schema, Name: s.Sequence.Relname, Kind: Sequence, Persistence: Permanent, ReplicaIdent: 'n'}
	switch {
	case s.Sequence.Relpersistence == "t" || s.Sequence.Schemaname == tempSchema:
		r.Persistence = Temporary
	case s.Sequence.Relpersistence == "u":
		r.Persistence = Unlogged
	}
	r.Seq = &SequenceAttrs{Type: scalar(typeInt8), Cache: 1}
	owner, err := c.sequenceOptions(r.Seq, s.Options, true)
	if err != nil {
		return err
	}
	c.put(r)
	return c.changeOwner(r.OID, owner)
}

func (c *Catalog) applyAlterSequence(s *pgast.AlterSeqStmt, eff *Effects) error {
	r := c.findRelation(s.Sequence)
	if r == nil && s.MissingOk && !c.Open {
		eff.note("relation \"%s\" does not exist, skipping", rangeVarName(s.Sequence))
		return nil
	}
	r, err := c.lookupKind(s.Sequence, Sequence)
	if err != nil {
		return err
	}
	if r.Kind != Sequence {
		return notA(r, "sequence")
	}
	seq := *r.Seq
	owner, err := c.sequenceOptions(&seq, s.Options, false)
	if err != nil {
		return err
	}
	if owner != nil && seq.Identity {
		return c.cannotReownIdentity(r)
	}
	c.editRelation(r.OID, func(r *Relation) { r.Seq = &seq })
	return c.changeOwner(r.OID, owner)
}

func (c *Catalog) cannotReownIdentity(r *Relation) error {
	e := errorf("0A000", "cannot change ownership of identity sequence")
	e.Detail = "Sequence \"" + r.Name + "\" is linked to table \"" + c.NameOf(r.Seq.OwnedBy.OID).Name + "\"."
	return e
}

// sequenceOptions applies the options in the order init_params does (src/backend/commands/sequence.c) and returns the
// names of OWNED BY, nil when it was not given.
func (c *Catalog) sequenceOptions(seq *SequenceAttrs, options []*pgast.Node, create bool) (owner []string, err error) {
	given := map[string]*pgast.DefElem{}
	for _, n := range options {
		d := n.GetDefElem()
		if given[d.Defname] != nil {
			return nil, errorf("42601", "conflicting or redundant options")
		}
		given[d.Defname] = d
	}
	oldMin, oldMax := typeRange(seq.Type.OID)
	resetMin, resetMax := create, create
	if d := given["as"]; d != nil {
		ref, err := c.resolveType(d.Arg.GetTypeName())
		if err != nil {
			return nil, err
		}
		if ref.OID != typeInt2 && ref.OID != typeInt4 && ref.OID != typeInt8 || ref.Array {
			return nil, errorf("22023", "sequence type must be smallint, integer, or bigint")
		}
		if !create {
			// A bound that was the old type's becomes the new type's.
			resetMax, resetMin = seq.Max == oldMax, seq.Min == oldMin
		}
		seq.Type = scalar(ref.OID)
	}
	if d := given["increment"]; d != nil {
		if seq.Increment = defInt(d); seq.Increment == 0 {
			return nil, errorf("22023", "INCREMENT must not be zero")
		}
	} else if create {
		seq.Increment = 1
	}
	if d := given["cycle"]; d != nil {
		seq.Cycle = d.Arg == nil || constText(d.Arg) == "true" || constText(d.Arg) == "1"
	}
	low, high := typeRange(seq.Type.OID)
	if d := given["maxvalue"]; d != nil && d.Arg != nil {
		seq.Max = defInt(d)
	} else if d != nil || resetMax {
		if seq.Max = high; seq.Increment < 0 && (create || !resetMax) {
			seq.Max = -1
		}
	}
	if d := given["minvalue"]; d != nil && d.Arg != nil {
		seq.Min = defInt(d)
	} else if d != nil || resetMin {
		if seq.Min = 1; seq.Increment < 0 || resetMin && !create {
			seq.Min = low
		}
	}
	name := c.FormatType(seq.Type)
	switch {
	case seq.Max > high || seq.Max < low:
		return nil, errorf("22023", "MAXVALUE (%d) is out of range for sequence data type %s", seq.Max, name)
	case seq.Min < low || seq.Min > high:
		return nil, errorf("22023", "MINVALUE (%d) is out of range for sequence data type %s", seq.Min, name)
	case seq.Min >= seq.Max:
		return nil, errorf("22023", "MINVALUE (%d) must be less than MAXVALUE (%d)", seq.Min, seq.Max)
	}
	if d := given["start"]; d != nil {
		seq.Start = defInt(d)
	} else if create {
		if seq.Start = seq.Min; seq.Increment < 0 {
			seq.Start = seq.Max
		}
	}
	switch {
	case seq.Start < seq.Min:
		return nil, errorf("22023", "START value (%d) cannot be less than MINVALUE (%d)", seq.Start, seq.Min)
	case seq.Start > seq.Max:
		return nil, errorf("22023", "START value (%d) cannot be greater than MAXVALUE (%d)", seq.Start, seq.Max)
	}
	if d := given["cache"]; d != nil {
		if seq.Cache = defInt(d); seq.Cache <= 0 {
			return nil, errorf("22023", "CACHE (%d) must be greater than zero", seq.Cache)
		}
	}
	if d := given["owned_by"]; d != nil {
		owner = stringsOf(d.Arg.GetList().GetItems())
	}
	return owner, nil
}

func typeRange(oid OID) (low, high int64) {
	switch oid {
	case typeInt2:
		return math.MinInt16, math.MaxInt16
	case typeInt4:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

func defInt(d *pgast.DefElem) int64 {
	n, _ := strconv.ParseInt(constText(d.Arg), 10, 64)
	return n
}

// changeOwner follows OWNED BY; nil: not given (process_owned_by).
func (c *Catalog) changeOwner(seq OID, names []string) error {
	if names == nil {
		return nil
	}
	if len(names) == 1 {
		if names[0] != "none" {
			e := errorf("42601", "invalid OWNED BY option")
			e.Hint = "Specify OWNED BY table.column or OWNED BY NONE."
			return e
		}
		c.ownSequence(seq, Address{}, false)
		return nil
	}
	rv := &pgast.RangeVar{Relname: names[len(names)-2]}
	if len(names) > 2 {
		rv.Schemaname = names[len(names)-3]
	}
	r, err := c.lookupRelation(rv)
	if err != nil {
		return err
	}
	switch r.Kind {
	case Table, ForeignTable, View, PartitionedTable:
	default:
		e := errorf("42809", "sequence cannot be owned by relation \"%s\"", r.Name)
		e.Detail = "This operation is not supported for " + r.pluralKind() + "."
		return e
	}
	if s := c.relation(seq); s.Schema != r.Schema {
		return errorf("55000", "sequence must be in same schema as table it is linked to")
	}
	col, err := c.lookupColumn(r.OID, names[len(names)-1])
	if err != nil {
		return err
	}
	c.ownSequence(seq, Address{r.OID, col.Num}, false)
	return nil
}

// ownSequence makes a column own a sequence, so that it goes with the column; a zero address makes it free.
func (c *Catalog) ownSequence(seq OID, owner Address, identity bool) {
	c.dropDeps(seq, func(d Dep) bool { return d.Type == DepAuto || d.Type == DepInternal })
	c.editRelation(seq, func(r *Relation) {
		attrs := *r.Seq
		attrs.OwnedBy, attrs.Identity = owner, identity
		r.Seq = &attrs
	})
	if owner.OID == 0 {
		return
	}
	typ := DepAuto
	if identity {
		typ = DepInternal
	}
	c.addDep(Address{OID: seq}, owner, typ)
}

// makeSequence makes the sequence of a serial or identity column (generateSerialExtraStmts).
func (b *newTable) makeSequence(column string, typ TypeRef, options []*pgast.Node, identity bool) (OID, error) {
	c := b.c
	schema, name := b.schema, ""
	var rest []*pgast.Node
	for _, n := range options {
		if d := n.GetDefElem(); d.Defname == "sequence_name" {
			rv := rangeVarOf(d.Arg.GetList().GetItems())
			name = rv.Relname
			if rv.Schemaname != "" {
				s, err := c.lookupSchema(rv.Schemaname)
				if err != nil {
					return 0, err
				}
				schema = s.OID
			}
		} else {
			rest = append(rest, n)
		}
	}
	if identity && typ.OID != typeInt2 && typ.OID != typeInt4 && typ.OID != typeInt8 {
		return 0, errorf("22023", "identity column type must be smallint, integer, or bigint")
	}
	if name == "" {
		name = c.chooseRelationName(b.name, column, "seq", schema, false)
	} else if _, err := c.checkNewRelation(schema, name, false, false, nil); err != nil {
		return 0, err
	}
	r := &Relation{OID: c.newOID(), Schema: schema, Name: name, Kind: Sequence, Persistence: Permanent, ReplicaIdent: 'n'}
	if b.temp {
		r.Persistence = Temporary
	}
	if b.unlogged && c.Version >= 15 {
		r.Persistence = Unlogged
	}
	r.Seq = &SequenceAttrs{Type: scalar(typ.OID), Cache: 1}
	if _, err := c.sequenceOptions(r.Seq, rest, true); err != nil {
		return 0, err
	}
	c.put(r)
	b.sequences = append(b.sequences, ownedSequence{r.OID, column, identity})
	return r.OID, nil
}

// nextvalExpr is the default of a serial column.
func (c *Catalog) nextvalExpr(seq OID) *Expr {
	n := c.NameOf(seq)
	text := quoteIdent(n.Name)
	if !c.visible(c.Get(seq)) || n.Schema != "" && n.Schema != "public" {
		text = quoteIdent(n.Schema) + "." + text
	}
	call := &pgast.FuncCall{
		Funcname:   []*pgast.Node{stringNode("nextval")},
		Funcformat: pgast.CoercionForm_COERCE_EXPLICIT_CALL,
		Args: []*pgast.Node{{Node: &pgast.Node_TypeCast{TypeCast: &pgast.TypeCast{
			Arg:      &pgast.Node{Node: &pgast.Node_AConst{AConst: &pgast.A_Const{Val: &pgast.A_Const_Sval{Sval: &pgast.String{Sval: text}}}}},
			TypeName: &pgast.TypeName{Names: []*pgast.Node{stringNode("regclass")}, Typemod: -1},
		}}}},
	}
	return &Expr{
		Node: &pgast.Node{Node: &pgast.Node_FuncCall{FuncCall: call}}, SQL: "nextval('" + escapeQuote(text) + "'::regclass)",
		Volatility: Volatile, Refs: []Address{{OID: seq}},
	}
}

func escapeQuote(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] == '\'' {
			out = append(out, '\'')
		}
		out = append(out, s[i])
	}
	return string(out)
}

// notA is the error for a relation of the wrong kind.
func notA(r *Relation, word string) error {
	article := "a"
	if word == "index" {
		article = "an"
	}
	return errorf("42809", "\"%s\" is not %s %s", r.Name, article, word)
}
