package catalogtest

import (
	"cmp"
	"fmt"
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
	object   *regexp.Regexp
	typeOf   *regexp.Regexp
	selected *regexp.Regexp
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
		object:   regexp.MustCompile(`:(?:funcid|opno|aggfnoid|winfnoid|consttype|resulttype|row_typeid|collOid) (\d+)`),
		typeOf:   regexp.MustCompile(`^:(?:vartype|consttype|paramtype|funcresulttype|refrestype|opresulttype|resulttype|array_typeid|casetype|coalescetype|minmaxtype|row_typeid|typeId|type) (\d+)`),
		selected: regexp.MustCompile(`\{FIELDSELECT `),
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
	for _, part := range strings.Split(tree, "{COERCEVIAIO :arg {")[1:] {
		raise(t.out[t.nodeType(part)])
	}
	for _, part := range strings.Split(tree, "{COERCEVIAIO")[1:] {
		raise(t.in[resultType(part)])
	}
	return v
}

// resultType finds the :resulttype that follows the :arg of a COERCEVIAIO node.
func resultType(node string) catalog.OID {
	n := ownField(node, ":resulttype ")
	return catalog.OID(n)
}

// ownField finds a number among the fields of the node whose fields the text begins with, not of the nodes inside it; 0 when
// it has none.
func ownField(node, field string) (n int) {
	ownFields(node, func(rest string) bool {
		if !strings.HasPrefix(rest, field) {
			return true
		}
		digits, _, _ := strings.Cut(rest[len(field):], " ")
		n, _ = strconv.Atoi(strings.TrimRight(digits, "})"))
		return false
	})
	return n
}

// ownFields yields the text from each field of a node on.
func ownFields(node string, yield func(rest string) bool) {
	depth := 0
	for i := 0; i < len(node); i++ {
		switch node[i] {
		case '{':
			depth++
		case '}':
			depth--
			if depth < 0 {
				return
			}
		case ':':
			if depth == 0 && !yield(node[i:]) {
				return
			}
		}
	}
}

// nodeType is the type of the expression whose node the text begins with.
func (t treeReader) nodeType(node string) (typ catalog.OID) {
	ownFields(node, func(rest string) bool {
		if m := t.typeOf.FindStringSubmatch(rest); m != nil {
			typ = oid(m[1])
		}
		return true
	})
	return typ
}

// fields lists the columns of composite types that are taken out of values: FieldSelect needs its column
// (find_expr_references_walker).
func (t treeReader) fields(tree string) []catalog.Address {
	var list []catalog.Address
	for _, at := range t.selected.FindAllStringIndex(tree, -1) {
		node := tree[at[1]:]
		_, arg, _ := strings.Cut(node, "{")
		typ := t.nodeType(arg)
		if rel := t.r.composite(typ); rel != 0 {
			list = append(list, catalog.Address{OID: rel, Column: ownField(node, ":fieldnum ")})
		}
	}
	return list
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
		// The owner's pg_depend rows are those of all its expressions; of its own table the tree itself says the columns, unless it
		// reads the table in a subquery too.
		own := t.columns(tree)
		if strings.Contains(tree, fmt.Sprintf(":relid %d ", rel)) {
			return t.r.refsOf(owner, 0)
		}
		return slices.DeleteFunc(t.r.refsOf(owner, 0), func(a catalog.Address) bool {
			return a.OID == rel && a.Column > 0 && !slices.Contains(own, a.Column)
		})
	}
	var refs []catalog.Address
	add := func(a catalog.Address) {
		a = t.r.ofOurs(a)
		if a.OID >= catalog.FirstUserOID && !slices.Contains(refs, a) {
			refs = append(refs, a)
		}
	}
	if rel != 0 {
		for _, n := range t.columns(tree) {
			add(catalog.Address{OID: rel, Column: n})
		}
	}
	for _, a := range t.fields(tree) {
		add(a)
	}
	for _, m := range t.object.FindAllStringSubmatch(t.withoutFieldTypes(tree), -1) {
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

// columns lists the columns of the table that an expression is over: in its subqueries those of as many levels up.
func (t treeReader) columns(tree string) []int {
	var list []int
	var open []bool // of the nodes that are open: whether each is a query
	queries := 0
	for i := 0; i < len(tree); i++ {
		switch tree[i] {
		case '{':
			isQuery := strings.HasPrefix(tree[i:], "{QUERY ")
			open = append(open, isQuery)
			if isQuery {
				queries++
			}
			if !strings.HasPrefix(tree[i:], "{VAR ") {
				break
			}
			node := tree[i+1:]
			if n := ownField(node, ":varattno "); n > 0 && ownField(node, ":varlevelsup ") == queries && !slices.Contains(list, n) {
				list = append(list, n)
			}
		case '}':
			if n := len(open) - 1; n >= 0 {
				if open[n] {
					queries--
				}
				open = open[:n]
			}
		}
	}
	return list
}

// withoutFieldTypes takes out the types of fields that are selected: the column stands for them.
func (t treeReader) withoutFieldTypes(tree string) string {
	found := t.selected.FindAllStringIndex(tree, -1)
	slices.Reverse(found) // so that the places before stay what they are
	for _, at := range found {
		node := tree[at[1]:]
		ownFields(node, func(rest string) bool {
			if !strings.HasPrefix(rest, ":resulttype ") {
				return true
			}
			tree = strings.TrimSuffix(tree, rest) + strings.TrimPrefix(rest, ":resulttype ")
			return false
		})
	}
	return tree
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
