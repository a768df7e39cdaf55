package python

import "strings"

// Difference is the offset in b at which two files begin to do different things; same says that they do not. White
// space, comments, docstrings, quotes, type annotations, parentheses around an expression, pass and imports of typing do
// nothing. known is false when one of them is not Python throughout.
func Difference(a, b string) (at int, same, known bool) {
	modules, err := ParseAll([]File{{Text: a}, {Text: b}}, nil)
	if err != nil || modules[0].ErrorAt >= 0 || modules[1].ErrorAt >= 0 {
		return 0, false, false
	}
	var lists [2][]word
	for i, m := range modules {
		w := wording{m: m}
		w.node(m.Root)
		lists[i] = w.words
	}
	for i, w := range lists[1] {
		if i == len(lists[0]) || lists[0][i].text != w.text {
			return w.at, false, true
		}
	}
	return len(b), len(lists[0]) == len(lists[1]), true
}

// word is a part of a file that means something.
type word struct {
	text string
	at   int
}

// wording lists the words of a module in order: kinds of nodes, closed where they end, and the text of leaves.
type wording struct {
	m     *Module
	words []word
}

func (w *wording) add(text string, n *Node) { w.words = append(w.words, word{text, n.Start}) }

func (w *wording) node(n *Node) {
	kind := n.Kind
	switch kind {
	case "pass_statement", "comment", "future_import_statement":
		return
	case "expression_statement":
		if len(n.Kids) == 1 && (n.Kids[0].Kind == "string" || n.Kids[0].Kind == "concatenated_string") {
			return // a docstring
		}
	case "import_from_statement":
		if from := n.Child("module_name"); from != nil {
			switch w.m.Src(from) {
			case "typing", "typing_extensions", "collections.abc":
				return
			}
		}
	case "parenthesized_expression", "typed_parameter":
		for _, k := range n.Kids {
			if k.Field != "type" {
				w.node(k)
			}
		}
		return
	case "string", "concatenated_string":
		if text, ok := w.literal(n); ok {
			w.add("text "+text, n)
			return
		}
	case "assignment":
		if n.Child("right") == nil {
			return // x: int
		}
	case "expression_list":
		kind = "tuple" // the same without parentheses
	case "typed_default_parameter":
		kind = "default_parameter"
	}
	if len(n.Kids) == 0 || kind == "slice" || kind == kindTooDeep {
		w.add(strings.Join(strings.Fields(w.m.Src(n)), " "), n)
		return
	}
	w.add(kind, n)
	for _, k := range n.Kids {
		if k.Field != "type" && k.Field != "return_type" {
			w.node(k)
		}
	}
	w.words = append(w.words, word{"/" + kind, n.End})
}

// literal is the value of a string in which nothing is computed, whatever its quotes and however many pieces it is in.
func (w *wording) literal(n *Node) (string, bool) {
	if n.Kind == "concatenated_string" {
		var b strings.Builder
		for _, k := range n.Kids {
			text, ok := w.literal(k)
			if !ok {
				return "", false
			}
			b.WriteString(text)
		}
		return b.String(), true
	}
	if strings.ContainsFunc(w.m.Src(n), func(r rune) bool { return r == '{' }) && len(n.Kids) > 0 &&
		strings.ContainsAny(w.m.Src(n.Kids[0]), "fFtT") {
		return "", false
	}
	x := Interp{Mod: w.m}
	text, ok := x.EvalString(n).(Text)
	return text.S, ok
}
