package alembic

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// convention is the naming_convention of the MetaData that env.py gives alembic as target_metadata: templates by "ix", "uq", "ck",
// "fk" and "pk". alembic makes the tables of its operations in a MetaData with the same one (SchemaObjects.metadata in
// alembic/operations/schemaobj.py). nil is none.
type convention map[string]string

// conventionOf finds it for the revisions beside and below env.py: the only literal one in env.py and in what that imports. Two that
// differ, and one that is not literal, are none.
func (h *history) conventionOf(m *python.Module) convention {
	env := h.envOf(m)
	if env == nil || !strings.Contains(env.Text, "target_metadata") || givesNoMetadata.MatchString(env.Text) {
		return nil
	}
	if c, known := h.conventions[env]; known {
		return c
	}
	var found []convention
	unknown := false
	for _, other := range h.modules {
		if !strings.Contains(other.Text, "naming_convention") || looksLikeRevision(other.Text) {
			continue
		}
		x := &python.Interp{State: newState(&run{h: h}), Mod: other, Env: h.globals(other)}
		x.State.Quiet = true
		python.Walk(other.Root, func(n *python.Node) bool {
			if n.Kind != "keyword_argument" || other.Src(n.Child("name")) != "naming_convention" {
				return true
			}
			if c := literalConvention(x.Eval(n.Child("value"))); c != nil {
				found = append(found, c)
			} else {
				unknown = true
			}
			return true
		})
	}
	var c convention
	if len(found) > 0 && !unknown && !slices.ContainsFunc(found, func(o convention) bool { return !sameConvention(o, found[0]) }) {
		c = found[0]
	}
	h.conventions[env] = c
	return c
}

// givesNoMetadata: alembic's template sets target_metadata = None, for those who do not use autogenerate.
var givesNoMetadata = regexp.MustCompile(`(?m)^target_metadata\s*=\s*None\b`)

func sameConvention(a, b convention) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// literalConvention reads a dict of strings, nil when it is something else: keys may be classes, and tokens functions.
func literalConvention(v python.Value) convention {
	d, ok := v.(*python.Dict)
	if !ok || d.Why != "" {
		return nil
	}
	c := convention{}
	for i := range d.Keys {
		key, ok1 := d.Keys[i].(python.Text)
		template, ok2 := d.Vals[i].(python.Text)
		if !ok1 || !ok2 {
			return nil
		}
		c[key.S] = template.S
	}
	return c
}

// envOf is the env.py above a revision.
func (h *history) envOf(m *python.Module) *python.Module {
	for dir := path.Dir(m.Path); ; dir = path.Dir(dir) {
		if e := h.byPath[path.Join(dir, "env.py")]; e != nil {
			return e
		}
		if dir == "." || dir == "/" || dir == path.Dir(dir) {
			return nil
		}
	}
}

// importOf is an import statement: the module, and what is taken from it.
var importOf = regexp.MustCompile(`(?m)^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)|import[ \t]+([^\n#]+))`)

// Imports lists the modules that a Python file may import, dotted: of "from a import b" both a and a.b. What it finds decides
// nothing but which files are read as well.
func Imports(text string) []string {
	var list []string
	add := func(name string) {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, m := range importOf.FindAllStringSubmatch(text, -1) {
		for _, one := range strings.Split(m[3], ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(one), " ")
			add(name)
		}
		if m[1] == "" {
			continue
		}
		add(m[1])
		for _, one := range strings.FieldsFunc(m[2], func(r rune) bool { return strings.ContainsRune("(),\n\r\t ", r) }) {
			if one != "as" && one != "*" {
				add(strings.TrimSuffix(m[1], ".") + "." + one)
			}
		}
	}
	return list
}

// token is one %(…)s of a template.
var token = regexp.MustCompile(`%\((\w+)\)s|%%`)

// columnToken is column_0_name, column_0N_label, referred_column_0_N_name and so on.
var columnToken = regexp.MustCompile(`^(referred_)?column_(\d+)(_?N)?_(name|key|label)$`)

// constrained is what a name is made for.
type constrained struct {
	kind          string // the convention's key
	schema, table string
	name          python.Value // as written, nil for none
	columns       []python.Value
	referred      string // a foreign key's table
	referredNames []string
}

// apply gives a constraint or index the name that SQLAlchemy gives it (sqlalchemy/sql/naming.py); a name that it leaves alone comes
// back as it is. why is not empty when it cannot be known, refused when SQLAlchemy refuses.
func (c convention) apply(k constrained) (name python.Value, why string, refused bool) {
	template, ok := c[k.kind]
	given, isText := k.name.(python.Text)
	switch {
	case !ok || isText && given.Conv, k.name != nil && !python.IsNone(k.name) && !isText:
		return k.name, "", false
	case isText && !strings.Contains(template, "constraint_name"):
		return k.name, "", false
	}
	out := token.ReplaceAllStringFunc(template, func(t string) string {
		if t == "%%" {
			return "%"
		}
		key := t[2 : len(t)-2]
		switch {
		case key == "table_name":
			return k.table
		case key == "referred_table_name" && k.kind == "fk":
			return k.referred
		case key == "constraint_name":
			if !isText {
				why, refused = "a constraint without a name, which the naming convention asks for", true
			}
			return given.S
		}
		m := columnToken.FindStringSubmatch(key)
		if m == nil {
			if _, own := c[key]; own || why != "" {
				why = "a naming convention with tokens of its own"
			} else {
				why, refused = "a naming convention with the token "+key+", which SQLAlchemy does not have", true
			}
			return ""
		}
		text, w := k.columnsToken(m[1] != "", m[2], m[3], m[4])
		if w != "" {
			why = w
		}
		return text
	})
	if why != "" {
		return nil, why, refused
	}
	made := python.Plain(out)
	if isText {
		made = given.Mapped(out)
	}
	made.Conv = true
	return made, "", false
}

// columnsToken is one column's name or label, or with an N those of all.
func (k constrained) columnsToken(referred bool, index, all, attribute string) (string, string) {
	var names []string
	if referred {
		names = k.referredNames
	} else {
		for _, v := range k.columns {
			switch v := v.(type) {
			case python.Text:
				names = append(names, v.S)
			case *python.Column:
				names = append(names, v.Name.S)
			default:
				return "", "a name that the naming convention makes of an expression"
			}
		}
	}
	if attribute == "label" {
		for i := range names {
			names[i] = k.table + "_" + names[i]
			if k.schema != "" {
				names[i] = strings.ReplaceAll(k.schema, ".", "_") + "_" + names[i]
			}
		}
	}
	if all != "" {
		return strings.Join(names, strings.TrimSuffix(all, "N")), ""
	}
	i, err := strconv.Atoi(index)
	if err != nil || i >= len(names) {
		return "", ""
	}
	return names[i], ""
}

// kinds are the convention's keys by the kind of a constraint; an EXCLUDE has none.
var kinds = map[string]string{"primary": "pk", "unique": "uq", "foreign": "fk", "check": "ck"}

// named is the constraint with the name that the convention gives it on a table.
func (o *opCall) named(schema, table python.Text, k *python.Constraint) *python.Constraint {
	kind, ok := kinds[k.Kind]
	if o.names == nil || !ok {
		return k
	}
	c := constrained{kind: kind, schema: schema.S, table: table.S, name: k.Name, columns: k.Columns}
	switch k.Kind {
	case "foreign":
		c.referred, c.referredNames = k.RefTable.S, nil
		for _, v := range k.RefColumns {
			if t, ok := v.(python.Text); ok {
				c.referredNames = append(c.referredNames, t.S)
			}
		}
		for _, v := range k.Remote {
			switch v := v.(type) {
			case python.Text:
				parts := strings.Split(v.S, ".")
				c.referredNames = append(c.referredNames, parts[len(parts)-1])
				if len(parts) > 1 {
					c.referred = parts[len(parts)-2]
				}
			case *python.Column:
				if v.Table != nil {
					c.referred = v.Table.Name.S
				}
				c.referredNames = append(c.referredNames, v.Name.S)
			}
		}
	case "check":
		if _, isText := k.Body.(python.Text); !isText && strings.Contains(o.names[kind], "column_") {
			if _, isClause := k.Body.(*python.TextClause); !isClause {
				o.g.Fail("a name that the naming convention makes of an expression")
				return k
			}
		}
		c.columns = nil
	}
	name, why, refused := o.names.apply(c)
	if why != "" {
		if refused {
			o.x.Gap(o.n, why, true)
		}
		o.g.Fail(why)
		return k
	}
	with := *k
	with.Name = name
	return &with
}

// namedIndex is named for an index.
func (o *opCall) namedIndex(schema, table python.Text, ix *python.Index) *python.Index {
	if o.names == nil {
		return ix
	}
	given := ix.Name
	if ix.Auto {
		given = nil // index=True: without a template the index has no name at all
		if o.names["ix"] == "" {
			o.x.Gap(o.n, "an index without a name: the naming convention has no \"ix\"", true)
			o.g.Fail("an index without a name")
			return ix
		}
	}
	name, why, refused := o.names.apply(constrained{kind: "ix", schema: schema.S, table: table.S, name: given, columns: ix.Exprs})
	if why != "" {
		if refused {
			o.x.Gap(o.n, why, true)
		}
		o.g.Fail(why)
		return ix
	}
	with := *ix
	with.Name = name
	return &with
}

// namedKey is named for a primary key, whose columns count in the order of the table.
func (o *opCall) namedKey(t *python.Table, k *python.Constraint) *python.Constraint {
	if o.names == nil {
		return k
	}
	ordered := *k
	if k.Name == nil {
		ordered.Columns = nil
		for _, c := range t.Columns {
			if c.PK {
				ordered.Columns = append(ordered.Columns, c.Name)
			}
		}
	}
	with := *k
	with.Name = o.named(t.Schema, t.Name, &ordered).Name
	return &with
}

// namedChecks is the column with the CHECK constraints among its arguments named.
func (o *opCall) namedChecks(t *python.Table, c *python.Column) *python.Column {
	if o.names == nil {
		return c
	}
	for i, it := range c.Items {
		if k, ok := it.(*python.Constraint); ok {
			c.Items = slices.Clone(c.Items)
			c.Items[i] = o.named(t.Schema, t.Name, k)
		}
	}
	return c
}
