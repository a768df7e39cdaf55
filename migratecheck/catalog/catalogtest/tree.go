package catalogtest

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// treeReader reads the pg_node_tree texts in which the server keeps parsed expressions (src/backend/nodes/outfuncs.c):
// what they depend on, how volatile they are, whether they are constant. It is regular expressions over the text,
// which is enough because string constants are written there as lists of bytes.
type treeReader struct {
	r        *reader
	volatile map[catalog.OID]catalog.Volatility
	in, out  map[catalog.OID]catalog.Volatility // of a type's input and output functions, where not immutable
	node     *regexp.Regexp
	function *regexp.Regexp
	column   *regexp.Regexp
	object   *regexp.Regexp
	viaIO    *regexp.Regexp
	format   *regexp.Regexp
	regConst *regexp.Regexp
}

func newTreeReader(r *reader) treeReader {
	t := treeReader{
		r:        r,
		volatile: map[catalog.OID]catalog.Volatility{},
		in:       map[catalog.OID]catalog.Volatility{},
		out:      map[catalog.OID]catalog.Volatility{},
		node:     regexp.MustCompile(`\{([A-Z_]+)`),
		function: regexp.MustCompile(`:(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)`),
		column:   regexp.MustCompile(`\{VAR :varno (\d+) :varattno (-?\d+)`),
		object:   regexp.MustCompile(`:(?:funcid|opno|aggfnoid|winfnoid|consttype|resulttype|row_typeid|collOid) (\d+)`),
		viaIO:    regexp.MustCompile(`\{COERCEVIAIO :arg \{[A-Z]+ [^{}]*?:(?:vartype|consttype|funcresulttype|resulttype|opresulttype|array_typeid|casetype|coalescetype|minmaxtype|type) (\d+)`),
		format:   regexp.MustCompile(`\{FUNCEXPR [^{}]*?:funcformat (\d)`),
		regConst: regexp.MustCompile(`:consttype (?:2205|2206|24|2202|4089) [^{}]*?:constvalue 4 \[ (-?\d+) (-?\d+) (-?\d+) (-?\d+)`),
	}
	for _, p := range r.rows.Procs {
		t.volatile[p.OID] = catalog.Volatility(first(p.V))
	}
	for _, io := range r.rows.TypeIO {
		t.in[io.OID], t.out[io.OID] = catalog.Volatility(first(io.I)), catalog.Volatility(first(io.O))
	}
	return t
}

// expr describes a stored expression: its text, its tree, the relation whose columns it may name, and the object whose
// pg_depend rows stand for it when it holds a subquery.
func (t treeReader) expr(text, tree string, rel, owner catalog.OID) *catalog.Expr {
	return &catalog.Expr{
		SQL:        text,
		Volatility: t.volatility(tree),
		Constant:   t.constant(tree),
		Refs:       t.refs(tree, rel, owner),
	}
}

func (t treeReader) volatility(tree string) catalog.Volatility {
	v := catalog.Immutable
	raise := func(to catalog.Volatility) {
		// 'i' < 's' < 'v', as it happens.
		if to != 0 {
			v = max(v, to)
		}
	}
	for _, m := range t.function.FindAllStringSubmatch(tree, -1) {
		raise(t.volatile[oid(m[1])])
	}
	if strings.Contains(tree, "{SQLVALUEFUNCTION") {
		raise(catalog.Stable)
	}
	if strings.Contains(tree, "{NEXTVALUEEXPR") {
		raise(catalog.Volatile)
	}
	for _, m := range t.viaIO.FindAllStringSubmatch(tree, -1) {
		raise(t.out[oid(m[1])])
	}
	for _, part := range strings.Split(tree, "{COERCEVIAIO")[1:] {
		raise(t.in[resultType(part)])
	}
	return v
}

// resultType finds the :resulttype that follows the :arg of a COERCEVIAIO node.
func resultType(node string) catalog.OID {
	depth := 0
	for i := 0; i < len(node); i++ {
		switch node[i] {
		case '{':
			depth++
		case '}':
			depth--
			if depth < 0 {
				return 0
			}
		case ':':
			if depth == 0 && strings.HasPrefix(node[i:], ":resulttype ") {
				digits, _, _ := strings.Cut(node[i+len(":resulttype "):], " ")
				return oid(digits)
			}
		}
	}
	return 0
}

func (t treeReader) constant(tree string) bool {
	for _, m := range t.node.FindAllStringSubmatch(tree, -1) {
		switch m[1] {
		case "CONST", "FUNCEXPR", "RELABELTYPE", "COERCEVIAIO", "COERCETODOMAIN", "ARRAYCOERCEEXPR", "CASETESTEXPR", "COLLATEEXPR", "ARRAYEXPR", "ARRAY":
		default:
			return false
		}
	}
	for _, m := range t.format.FindAllStringSubmatch(tree, -1) {
		if m[1] == "0" { // COERCE_EXPLICIT_CALL: a function written as one
			return false
		}
	}
	return true
}

func (t treeReader) refs(tree string, rel, owner catalog.OID) []catalog.Address {
	if strings.Contains(tree, "{QUERY") {
		return t.r.refsOf(owner, 0)
	}
	var refs []catalog.Address
	add := func(a catalog.Address) {
		if elem, ok := t.r.arrays[a.OID]; ok {
			a.OID = elem
		}
		if a.OID >= catalog.FirstUserOID && !slices.Contains(refs, a) {
			refs = append(refs, a)
		}
	}
	for _, m := range t.column.FindAllStringSubmatch(tree, -1) {
		if n, _ := strconv.Atoi(m[2]); n > 0 && rel != 0 {
			add(catalog.Address{OID: rel, Column: n})
		}
	}
	for _, m := range t.object.FindAllStringSubmatch(tree, -1) {
		add(catalog.Address{OID: oid(m[1])})
	}
	for _, m := range t.regConst.FindAllStringSubmatch(tree, -1) {
		var n uint32
		for i := 3; i >= 0; i-- { // little-endian, as bytes of a Datum
			b, _ := strconv.Atoi(m[i+1])
			n = n<<8 | uint32(uint8(b))
		}
		add(catalog.Address{OID: catalog.OID(n)})
	}
	slices.SortFunc(refs, compareAddress)
	return refs
}

func compareAddress(a, b catalog.Address) int {
	return cmp.Or(cmp.Compare(a.OID, b.OID), cmp.Compare(a.Column, b.Column))
}

func oid(digits string) catalog.OID {
	n, _ := strconv.ParseUint(digits, 10, 32) // the pattern holds digits only
	return catalog.OID(n)
}

// treeItem is the i-th node of a list, or the tree itself when it is not one.
func treeItem(tree string, i int) string {
	if !strings.HasPrefix(tree, "(") {
		return tree
	}
	depth, start := 0, 0
	for p := 0; p < len(tree); p++ {
		switch tree[p] {
		case '\\':
			p++
		case '{':
			if depth == 0 {
				start = p
			}
			depth++
		case '}':
			depth--
			if depth == 0 {
				if i == 0 {
					return tree[start : p+1]
				}
				i--
			}
		}
	}
	return ""
}

// splitList cuts the comma-separated expressions that pg_get_expr makes of a list.
func splitList(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\'', '"':
			for i++; i < len(text) && text[i] != c; i++ {
			}
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}
