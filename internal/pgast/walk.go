package pgast

import "google.golang.org/protobuf/proto"

// Walk calls visit for every Node below and including n, parents first; below a Node for which visit returns false it
// does not look.
func Walk(n *Node, visit func(*Node) bool) {
	w := walker{visit: func(m proto.Message) bool {
		if n, ok := m.(*Node); ok {
			return visit(n)
		}
		return true
	}}
	w.visitNode(n)
}

// Message is any node of a tree, wrapped in a Node or not.
type Message = proto.Message

// WalkMessages is Walk for every message of the tree, also those that are not wrapped in a Node (a RangeVar in a
// statement's own field). A message comes before those in it, and those in the order of its fields.
func WalkMessages(m proto.Message, visit func(Message) bool) {
	w := walker{visit: visit}
	w.walk(m)
}

// Clone copies a tree, so that it can be changed: what the catalog and others hold is shared.
func Clone[T proto.Message](m T) T { return proto.Clone(m).(T) }

// walker goes through a tree without reflection; its methods per message are in decode_gen.go.
type walker struct {
	visit          func(proto.Message) bool // may be nil
	depth, deepest int                      // how deep messages are nested here, and at most
	limit          int                      // do not go deeper, if not 0
}

func (w *walker) enter(m proto.Message) bool {
	if w.limit > 0 && w.depth >= w.limit {
		w.deepest = w.limit + 1
		return false
	}
	if w.visit != nil && !w.visit(m) {
		return false
	}
	w.depth++
	w.deepest = max(w.deepest, w.depth)
	return true
}
