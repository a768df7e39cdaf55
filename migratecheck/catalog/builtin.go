package catalog

import (
	"embed"
	"strconv"
	"strings"
	"sync"
)

// What the server brings along is in tables that builtingen reads from a real one. They are parsed when first needed, and
// a function only when its name is looked up. `make builtins PGDSN=…` writes them anew; that is no part of make generate,
// since a minor release of the server may differ.
//
//go:embed builtin/*.tsv
var builtinFiles embed.FS

// builtinLines yields the lines of one table, split at tabs by the caller.
func builtinLines(name string) []string {
	b, err := builtinFiles.ReadFile("builtin/" + name)
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// builtinTypes is pg_type of a new database without array and row types.
type builtinTypes struct {
	byOID   map[OID]*Type
	byName  map[string]*Type // those of pg_catalog
	schema  map[string]*Type // those of information_schema
	byArray map[OID]OID      // array type to element
}

var loadTypes = sync.OnceValue(func() *builtinTypes {
	lines := builtinLines("types.tsv")
	b := &builtinTypes{
		byOID: make(map[OID]*Type, len(lines)), byName: make(map[string]*Type, len(lines)),
		schema: map[string]*Type{}, byArray: make(map[OID]OID, len(lines)),
	}
	for _, line := range lines {
		t, array := parseType(strings.Split(line, "\t"), nil)
		b.byOID[t.OID] = t
		if array != 0 {
			b.byArray[array] = t.OID
		}
		if t.Schema == pgCatalogOID {
			b.byName[t.Name] = t
		} else {
			b.schema[t.Name] = t
		}
	}
	return b
})

// parseType reads a line of types.tsv; own resolves the names of an extension's types.
func parseType(f []string, own func(string) TypeRef) (*Type, OID) {
	t := &Type{
		OID: parseOID(f[0]), Name: f[2], Kind: TypeKind(f[3][0]), category: f[4][0], preferred: f[5] == "true",
		element: parseTypeRef(f[6], own), Base: parseTypeRef(f[8], own), length: int(parseInt(f[10])), storage: f[11][0],
		typmodIn: f[12] == "true", collatable: f[13] == "true", input: Volatility(f[15][0]), output: Volatility(f[16][0]),
	}
	t.Base.Mod = int32(parseInt(f[9]))
	switch f[1] {
	case "pg_catalog":
		t.Schema = pgCatalogOID
	case "information_schema":
		t.Schema = informationSchemaOID
	}
	if sub, multi, ok := strings.Cut(f[14], " "); ok {
		t.Subtype, t.multirange = parseTypeRef(sub, own), parseTypeRef(multi, own).OID
	}
	return t, parseOID(f[7])
}

func parseOID(s string) OID { return OID(parseInt(s)) }

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// parseTypeRef reads a type as the tables write it: 25, 25[], hstore, hstore[].
func parseTypeRef(s string, own func(string) TypeRef) TypeRef {
	name, array := strings.CutSuffix(s, "[]")
	if name == "" {
		return TypeRef{}
	}
	if name[0] >= '0' && name[0] <= '9' {
		return TypeRef{OID: parseOID(name), Mod: -1, Array: array}
	}
	if own == nil {
		return TypeRef{}
	}
	t := own(name)
	t.Array = array
	return t
}

func parseTypeRefs(s string, own func(string) TypeRef) []TypeRef {
	if s == "" {
		return nil
	}
	var list []TypeRef
	for _, word := range strings.Fields(s) {
		list = append(list, parseTypeRef(word, own))
	}
	return list
}

// builtinFunctions is pg_proc, by name; the candidates of a name are parsed when it is asked for.
type builtinFunctions struct {
	lines  map[string][]string
	mu     sync.Mutex
	parsed map[string][]*Func
}

var loadFunctions = sync.OnceValue(func() *builtinFunctions {
	lines := builtinLines("functions.tsv")
	b := &builtinFunctions{lines: make(map[string][]string, len(lines)), parsed: map[string][]*Func{}}
	for _, line := range lines {
		_, rest, _ := strings.Cut(line, "\t")
		_, rest, _ = strings.Cut(rest, "\t")
		name, _, _ := strings.Cut(rest, "\t")
		b.lines[name] = append(b.lines[name], line)
	}
	return b
})

// named lists the built-in functions of a name in the schema with the given OID.
func (b *builtinFunctions) named(schema OID, name string) []*Func {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, ok := b.parsed[name]
	if !ok {
		for _, line := range b.lines[name] {
			list = append(list, parseFunc(strings.Split(line, "\t"), nil))
		}
		b.parsed[name] = list
	}
	for i, f := range list {
		if f.Schema != schema { // rare: a name in both schemas
			var some []*Func
			for _, f := range list[i:] {
				if f.Schema == schema {
					some = append(some, f)
				}
			}
			return append(list[:i:i], some...)
		}
	}
	return list
}

// parseFunc reads a line of functions.tsv.
func parseFunc(f []string, own func(string) TypeRef) *Func {
	fn := &Func{
		OID: parseOID(f[0]), Name: f[2], Kind: FunctionKind(f[3][0]), Volatility: Volatility(f[4][0]), Strict: f[5] == "true",
		ReturnsSet: f[6] == "true", Returns: parseTypeRef(f[7], own), Language: f[14], Leakproof: f[16] == "true", Parallel: f[17][0],
	}
	if f[15] != "" {
		fn.aggKind = f[15][0]
	}
	switch f[1] {
	case "pg_catalog":
		fn.Schema = pgCatalogOID
	case "information_schema":
		fn.Schema = informationSchemaOID
	}
	types, modes := parseTypeRefs(f[8], own), f[12]
	if modes != "" {
		types = parseTypeRefs(f[11], own)
	}
	names := strings.Split(f[13], " ") // OUT arguments without a name leave an empty word
	for i, t := range types {
		a := FuncArg{Type: t, Mode: 'i'}
		if modes != "" {
			a.Mode = modes[i]
		}
		if f[13] != "" && i < len(names) {
			a.Name = names[i]
		}
		fn.Args = append(fn.Args, a)
	}
	if f[9] == "true" && modes == "" {
		fn.Args[len(fn.Args)-1].Mode = 'v'
	}
	for i, n := len(fn.Args)-1, parseInt(f[10]); i >= 0 && n > 0; i-- {
		if fn.Args[i].Mode != 'o' && fn.Args[i].Mode != 't' {
			fn.Args[i].Default = &Expr{Constant: true, Volatility: Immutable}
			n--
		}
	}
	return fn
}

// Operator is a row of pg_operator.
type Operator struct {
	Name        string
	Left, Right TypeRef // Left is zero for a prefix operator
	Result      TypeRef
	Function    OID
	Volatility  Volatility // of Function

	shell bool // another operator names it as its commutator or negator; it is not defined yet
}

// operatorKey is a name, of the prefix operators or of the others.
type operatorKey struct {
	name   string
	prefix bool
}

func (o *Operator) key() operatorKey { return operatorKey{o.Name, !o.Left.known()} }

var loadOperators = sync.OnceValue(func() map[operatorKey][]foundOperator {
	m := map[operatorKey][]foundOperator{}
	for _, line := range builtinLines("operators.tsv") {
		o := parseOperator(strings.Split(line, "\t"), nil)
		m[o.key()] = append(m[o.key()], foundOperator{o, 0})
	}
	return m
})

func parseOperator(f []string, own func(string) TypeRef) *Operator {
	o := &Operator{
		Name: f[1], Left: parseTypeRef(f[2], own), Right: parseTypeRef(f[3], own), Result: parseTypeRef(f[4], own),
		Volatility: Volatility(f[6][0]), Function: parseOID(f[7]),
	}
	if o.Left.OID == 0 {
		o.Left = TypeRef{}
	}
	return o
}

// Cast is a row of pg_cast.
type Cast struct {
	Source, Target TypeRef
	Context        byte       // i implicit, a assignment, e explicit
	Method         byte       // f function, i in and out functions, b binary coercible
	Volatility     Volatility // of the function
	Function       OID        // a user's; 0 for a built-in one
}

type castKey struct{ source, target TypeRef }

var loadCasts = sync.OnceValue(func() map[castKey]*Cast {
	m := map[castKey]*Cast{}
	for _, line := range builtinLines("casts.tsv") {
		c := parseCast(strings.Split(line, "\t"), nil)
		m[castKey{c.Source, c.Target}] = c
	}
	return m
})

func parseCast(f []string, own func(string) TypeRef) *Cast {
	return &Cast{Source: parseTypeRef(f[0], own), Target: parseTypeRef(f[1], own), Context: f[2][0], Method: f[3][0], Volatility: Volatility(f[5][0])}
}

// builtinRelations are the tables and views of pg_catalog and information_schema; one is parsed when it is asked for.
type builtinRelations struct {
	lines  map[string]string // by schema and name, with a tab between
	names  map[OID]string
	mu     sync.Mutex
	parsed map[string]*Relation
}

var loadRelations = sync.OnceValue(func() *builtinRelations {
	lines := builtinLines("relations.tsv")
	b := &builtinRelations{lines: make(map[string]string, len(lines)), names: make(map[OID]string, len(lines)), parsed: map[string]*Relation{}}
	for _, line := range lines {
		oid, rest, _ := strings.Cut(line, "\t")
		end := strings.IndexByte(rest, '\t') + 1
		name := rest[:end+strings.IndexByte(rest[end:], '\t')]
		b.lines[name], b.names[parseOID(oid)] = line, name
	}
	return b
})

// named finds a relation, nil when there is none.
func (b *builtinRelations) named(schema OID, name string) *Relation {
	if schema == informationSchemaOID {
		return b.find("information_schema\t" + name)
	}
	return b.find("pg_catalog\t" + name)
}

func (b *builtinRelations) numbered(oid OID) *Relation { return b.find(b.names[oid]) }

func (b *builtinRelations) find(name string) *Relation {
	line, ok := b.lines[name]
	if !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.parsed[name]
	if r == nil {
		f := strings.Split(line, "\t")
		r = &Relation{OID: parseOID(f[0]), Schema: pgCatalogOID, Name: f[2], Kind: RelKind(f[3][0]), Persistence: Permanent, Columns: parseColumns(f[4], nil)}
		if f[1] == "information_schema" {
			r.Schema = informationSchemaOID
		} else if r.Kind == Table {
			for i := range r.Columns {
				switch r.Columns[i].Type.OID {
				case typeText, 194, 3361, 3402, 5017: // pg_node_tree, pg_ndistinct, pg_dependencies, pg_mcv_list
					r.Columns[i].Collation = "C" // of all catalogs (bootstrap.c, DefineAttr)
				}
			}
		}
		b.parsed[name] = r
	}
	return r
}

func parseColumns(s string, own func(string) TypeRef) []Column {
	var cols []Column
	for _, col := range strings.Split(s, ",") {
		w := strings.Fields(col)
		if len(w) != 4 {
			continue
		}
		t := parseTypeRef(w[1], own)
		t.Mod = int32(parseInt(w[2]))
		cols = append(cols, Column{Num: len(cols) + 1, Name: w[0], Type: t, NotNull: w[3] == "1", Local: true, Stats: -1})
	}
	return cols
}
