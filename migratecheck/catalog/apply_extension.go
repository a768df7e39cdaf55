package catalog

import (
	"slices"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// contribExtension is what extensions.tsv holds about an extension.
type contribExtension struct {
	name, version, schema string
	relocatable           bool
	requires              []string
	lines                 []string // its members
}

var loadExtensions = sync.OnceValue(func() map[string]*contribExtension {
	m := map[string]*contribExtension{}
	var current *contribExtension
	for _, line := range builtinLines("extensions.tsv") {
		if rest, ok := strings.CutPrefix(line, "E\t"); ok {
			f := strings.Split(rest, "\t")
			current = &contribExtension{name: f[0], version: f[1], relocatable: f[2] == "true", schema: f[3]}
			if f[4] != "" {
				current.requires = strings.Split(f[4], ",")
			}
			m[current.name] = current
			continue
		}
		current.lines = append(current.lines, line)
	}
	return m
})

// applyCreateExtension is CreateExtension (src/backend/commands/extension.c). The members of those in contrib are made
// too; of another extension it is only known that it may have brought anything.
func (c *Catalog) applyCreateExtension(n *pgast.CreateExtensionStmt, eff *Effects) error {
	var schema, version string
	cascade := false
	for _, node := range n.Options {
		switch d := node.GetDefElem(); d.Defname {
		case "schema":
			schema = constText(d.Arg)
		case "new_version":
			version = constText(d.Arg)
		case "cascade":
			cascade = true
		}
	}
	_, exists := c.names.Get(nameKey(inExtensions, 0, n.Extname))
	if exists || n.Extname == "plpgsql" {
		if n.IfNotExists {
			eff.note("extension \"%s\" already exists, skipping", n.Extname)
			return nil
		}
		return errorf("42710", "extension %s already exists", quoteMessage(n.Extname))
	}
	return c.createExtension(n.Extname, schema, version, cascade, eff)
}

func (c *Catalog) createExtension(name, schema, version string, cascade bool, eff *Effects) error {
	known := loadExtensions()[name]
	if known != nil && known.schema != "" {
		if schema != "" && schema != known.schema {
			return errorf("0A000", "extension %s must be installed in schema %s", quoteMessage(name), quoteMessage(known.schema))
		}
		schema = known.schema
	}
	in, err := c.schemaToCreateIn(schema)
	if err != nil {
		return err
	}
	e := &Extension{Schema: in, Name: name, Version: version, Known: known != nil}
	var required []OID
	if known != nil {
		if e.Version == "" {
			e.Version = known.version
		}
		for _, other := range known.requires {
			oid, ok := c.names.Get(nameKey(inExtensions, 0, other))
			if !ok && cascade {
				eff.note("installing required extension \"%s\"", other)
				if err := c.createExtension(other, schema, "", true, eff); err != nil {
					return err
				}
				oid, ok = c.names.Get(nameKey(inExtensions, 0, other))
			}
			if !ok {
				if c.Open {
					continue
				}
				return &Error{
					Code: "42704", Message: "required extension " + quoteMessage(other) + " is not installed",
					Hint: "Use CREATE EXTENSION ... CASCADE to install required extensions too.",
				}
			}
			required = append(required, oid)
		}
	}
	e.OID = c.newOID()
	c.put(e)
	c.addDep(Address{OID: e.OID}, Address{OID: in}, DepNormal)
	for _, oid := range required {
		c.addDep(Address{OID: e.OID}, Address{OID: oid}, DepNormal)
	}
	if known != nil {
		c.createMembers(e, known)
	}
	return nil
}

// memberMaker makes an extension's members.
type memberMaker struct {
	c     *Catalog
	e     *Extension
	types map[string]OID
	funcs map[string]OID // the last function of a name, for operators
}

func (c *Catalog) createMembers(e *Extension, known *contribExtension) {
	m := &memberMaker{c: c, e: e, types: map[string]OID{}, funcs: map[string]OID{}}
	for _, line := range known.lines {
		f := strings.Split(line, "\t")
		switch f[0] {
		case "T":
			m.types[f[3]] = c.newOID()
		case "R":
			if f[2] == "c" {
				m.types[f[1]] = c.newOID()
			}
		}
	}
	for _, line := range known.lines {
		f := strings.Split(line, "\t")
		switch f[0] {
		case "T":
			t, _ := parseType(f[1:], m.typeNamed)
			t.OID, t.Schema = m.types[t.Name], e.Schema
			m.add(t)
		case "F":
			fn := parseFunc(f[1:], m.typeNamed)
			fn.OID, fn.Schema = c.newOID(), e.Schema
			m.funcs[fn.Name] = fn.OID
			m.add(fn)
		case "O":
			o := parseOperator(f[1:], m.typeNamed)
			o.Function = m.funcs[f[6]]
			m.add(&Other{OID: c.newOID(), Schema: e.Schema, Kind: "operator", Name: c.operatorSignature(o), operator: o})
		case "C":
			cast := parseCast(f[1:], m.typeNamed)
			cast.Function = m.funcs[f[5]]
			m.add(&Other{OID: c.newOID(), Kind: "cast", Name: c.castName(cast.Source, cast.Target), cast: cast})
		case "R":
			r := &Relation{OID: c.newOID(), Schema: e.Schema, Name: f[1], Kind: RelKind(f[2][0]), Persistence: Permanent, ReplicaIdent: 'n', Columns: parseColumns(f[3], m.typeNamed)}
			switch r.Kind {
			case Table:
				r.ReplicaIdent, r.AccessMethod = 'd', "heap"
			case View:
				r.Query = &Query{}
			case Sequence:
				r.Seq = &SequenceAttrs{Start: 1, Increment: 1, Min: 1, Max: 1<<63 - 1, Cache: 1, Type: scalar(typeInt8)}
			}
			m.add(r)
			if r.Kind == CompositeRel {
				t := &Type{OID: m.types[r.Name], Schema: e.Schema, Name: r.Name, Kind: CompositeType, Relation: r.OID}
				m.add(t)
				c.addDep(Address{OID: r.OID}, Address{OID: t.OID}, DepInternal)
			}
		case "K":
			m.add(&Other{OID: c.newOID(), Schema: e.Schema, Kind: "operator class", Name: f[2], opclass: &operatorClass{method: f[1], input: parseTypeRef(f[3], m.typeNamed), isDefault: f[4] == "true"}})
		case "X":
			m.other(f[1], f[2])
		}
	}
}

// other adds a member that is kept by name, which pg_identify_object wrote: schema.name, or name for a thing of its own.
func (m *memberMaker) other(kind, identity string) {
	schema := OID(0)
	name := identity
	var class *operatorClass
	if kind == "operator family" {
		var method string
		name, method, _ = strings.Cut(identity, " USING ")
		class = &operatorClass{method: method}
	}
	if s, n, ok := splitQualified(name); ok && s != "" {
		schema, name = m.e.Schema, n
	} else if ok {
		name = n
	}
	m.add(&Other{OID: m.c.newOID(), Schema: schema, Kind: kind, Name: name, opclass: class})
}

func (m *memberMaker) add(o Object) {
	m.c.put(o)
	m.c.addDep(Address{OID: o.ObjectID()}, Address{OID: m.e.OID}, DepExtension)
}

func (m *memberMaker) typeNamed(name string) TypeRef {
	if oid, ok := m.types[name]; ok {
		return scalar(oid)
	}
	// Of an extension that this one requires.
	if t, ok := m.c.typeIn(m.e.Schema, name); ok {
		return t
	}
	for _, s := range m.c.SearchPath() {
		if t, ok := m.c.typeIn(s, name); ok {
			return t
		}
	}
	return TypeRef{}
}

// operatorClass is what is known of an operator class of the catalog's; of an operator family only the method.
type operatorClass struct {
	method    string
	input     TypeRef
	isDefault bool
}

// operatorSignature is an operator's Other.Name: @>(hstore,hstore), NONE for a missing operand. Types in it are not qualified,
// so that it is the same under every search path.
func (c *Catalog) operatorSignature(o *Operator) string {
	left := "NONE"
	if o.Left.known() {
		left = c.bareTypeText(o.Left)
	}
	return o.Name + "(" + left + "," + c.bareTypeText(o.Right) + ")"
}

// castName is a cast's Other.Name, with types as in operatorSignature.
func (c *Catalog) castName(source, target TypeRef) string {
	return "(" + c.bareTypeText(source) + " AS " + c.bareTypeText(target) + ")"
}

func (c *Catalog) extensionNamed(name string) (*Extension, error) {
	oid, ok := c.names.Get(nameKey(inExtensions, 0, name))
	if !ok {
		if c.Open || name == "plpgsql" {
			return nil, nil
		}
		return nil, errorf("42704", "extension %s does not exist", quoteMessage(name))
	}
	e, _ := c.Get(oid).(*Extension)
	return e, nil
}

func (c *Catalog) applyAlterExtension(n *pgast.AlterExtensionStmt) error {
	old, err := c.extensionNamed(n.Extname)
	if err != nil || old == nil {
		return err
	}
	e := *old
	for _, node := range n.Options {
		if d := node.GetDefElem(); d.Defname == "new_version" {
			e.Version = constText(d.Arg)
		}
	}
	c.put(&e)
	return nil
}

// applyAlterExtensionContents is ALTER EXTENSION … ADD and DROP of a member.
func (c *Catalog) applyAlterExtensionContents(n *pgast.AlterExtensionContentsStmt) error {
	e, err := c.extensionNamed(n.Extname)
	if err != nil || e == nil {
		return err
	}
	a, err := c.objectAddress(n.Objtype, n.Object, false)
	if err != nil || a.OID == 0 {
		return err
	}
	member := slices.ContainsFunc(c.Dependencies(a.OID), func(d Dep) bool { return d.Type == DepExtension && d.Ref.OID == e.OID })
	switch {
	case n.Action > 0 && member:
		return errorf("55000", "%s is already a member of extension %s", c.describe(a, false), quoteMessage(e.Name))
	case n.Action > 0:
		c.addDep(a, Address{OID: e.OID}, DepExtension)
	case !member:
		return errorf("55000", "%s is not a member of extension %s", c.describe(a, false), quoteMessage(e.Name))
	default:
		c.dropDeps(a.OID, func(d Dep) bool { return d.Type == DepExtension })
	}
	return nil
}
