package droppedwrite

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// sends is a fact about a function: it does something outside of the process that a rollback does not undo.
type sends struct{ What, Place string }

func (*sends) AFact() {}

func (s *sends) String() string { return "sends " + s.What + " in " + s.Place }

// effect is a call that does so.
type effect struct {
	cur  inspector.Cursor
	what string
}

// outside are methods and functions that do something outside of the process, by their last name; in is what the full name
// contains.
var outside = map[string][]struct{ in, what string }{
	"SendMail":           {{"net/smtp.", "a mail"}, {"emersion/go-smtp", "a mail"}},
	"DialAndSend":        {{"mail", "a mail"}},
	"DialAndSendContext": {{"mail", "a mail"}},
	"EnqueueStd":         {{"/core-go/email.", "a mail"}},
	"Send":               {{"/core-go/email.", "a mail"}},
	"Schedule":           {{"/core-go/webhooks.", "a webhook"}},
	"Enqueue":            {{"/dowork.", "a job"}, {"/asynq.", "a job"}},
	"EnqueueContext":     {{"/asynq.", "a job"}},
	"Submit":             {{"/dowork.", "a job"}},
	"Delay":              {{"/gocelery.", "a job"}},
	"Publish":            {{"redis", "a Redis message"}, {"amqp", "a message"}, {"nats", "a message"}, {"pubsub", "a message"}, {"/sns.", "a message"}},
	"SPublish":           {{"redis", "a Redis message"}},
	"PublishWithContext": {{"amqp", "a message"}},
	"PublishMsg":         {{"nats", "a message"}},
	"WriteMessages":      {{"kafka", "a message"}},
	"SendMessage":        {{"sarama", "a message"}, {"/sqs.", "a message"}},
	"LPush":              {{"redis", "a job in Redis"}},
	"RPush":              {{"redis", "a job in Redis"}},
	"XAdd":               {{"redis", "a job in Redis"}},
	"Set":                {{"redis", "a value in Redis"}},
	"SetEX":              {{"redis", "a value in Redis"}},
	"HSet":               {{"redis", "a value in Redis"}},
	"SAdd":               {{"redis", "a value in Redis"}},
	"ZAdd":               {{"redis", "a value in Redis"}},
	"Post":               {{"net/http.", "an HTTP request"}},
	"PostForm":           {{"net/http.", "an HTTP request"}},
	"Do":                 {{"net/http.Client", "an HTTP request"}},
	"NewOperation":       {{"/gqlclient.", "a GraphQL mutation"}},
}

// directEffect is what a call itself sends, "" for nothing that is known.
func (c *checker) directEffect(call *ast.CallExpr) string {
	last := syntax.Called(call)
	for _, o := range outside[last] {
		name := c.fullName(call)
		if !strings.Contains(name, o.in) {
			continue
		}
		switch last {
		case "Do":
			if !c.unsafeMethod(call) {
				continue
			}
		case "NewOperation": // git.sr.ht/~emersion/gqlclient's, made to be sent
			if len(call.Args) == 0 || !strings.HasPrefix(strings.TrimSpace(c.Values.Text(call.Args[0])), "mutation") {
				continue
			}
		}
		return o.what
	}
	return ""
}

// fullName is callee.Name, and for a method of what a function of a missing package returned, that function's package:
// "example.org/webhooks.Schedule" of webhooks.ForContext(ctx).Schedule().
func (c *checker) fullName(call *ast.CallExpr) string {
	if name := callee.Name(c.TypesInfo, call); name != "" {
		return name
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	made, ok := c.Values.Resolve(sel.X).Expr.(*ast.CallExpr)
	if !ok {
		return ""
	}
	name := callee.Name(c.TypesInfo, made)
	if i := strings.LastIndex(name, "."); i > 0 && !strings.HasPrefix(name, "(") {
		return name[:i+1] + sel.Sel.Name
	}
	return ""
}

// unsafeMethod reports whether the request of an http.Client's Do is known to be none that only reads.
func (c *checker) unsafeMethod(call *ast.CallExpr) bool {
	if len(call.Args) != 1 {
		return false
	}
	made, ok := c.Values.Resolve(call.Args[0]).Expr.(*ast.CallExpr)
	if !ok {
		return false
	}
	i := 0
	switch callee.Name(c.TypesInfo, made) {
	case "net/http.NewRequest":
	case "net/http.NewRequestWithContext":
		i = 1
	default:
		return false
	}
	if len(made.Args) <= i {
		return false
	}
	method, _ := c.Values.Constant(made.Args[i])
	return slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, method)
}

// effectOf is what a call sends, itself or in what it calls.
func (c *checker) effectOf(call *ast.CallExpr) string {
	if what := c.directEffect(call); what != "" {
		return what
	}
	if s := c.sendsOf(callee.Func(c.TypesInfo, call)); s != nil {
		return s.What + " (" + s.Place + ")"
	}
	return ""
}

func (c *checker) sendsOf(fn *types.Func) *sends {
	if fn == nil || fn.Pkg() == nil {
		return nil
	}
	if fn.Pkg() == c.Pass.Pkg {
		return c.sends[fn]
	}
	var fact sends
	if c.ImportObjectFact(fn, &fact) {
		return &fact
	}
	return nil
}

// runsHere reports whether a function literal runs when the function around it does, as far as is certain: it is called, deferred or
// started, or given a transaction. A handler, a job, or what is to be done after a commit runs elsewhere.
func (c *checker) runsHere(lit inspector.Cursor) bool {
	call, ok := lit.Parent().Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	if call.Fun == lit.Node() {
		return true
	}
	switch syntax.Called(call) {
	case "Go", "Do": // errgroup's, sync.Once's
		return true
	}
	sig := c.Signature(lit.Node())
	if sig == nil {
		return false
	}
	for p := range sig.Params().Variables() {
		if c.isTx(p.Type()) {
			return true
		}
	}
	return false
}

// summarize learns which functions of the package send something, and exports it.
func (c *checker) summarize() {
	callers := map[*types.Func][]*types.Func{} // of a function of this package
	var learned []*types.Func
	for _, fn := range c.Funcs {
		c.Decls[fn].Inspect([]ast.Node{(*ast.FuncLit)(nil), (*ast.CallExpr)(nil)}, func(in inspector.Cursor) bool {
			call, ok := in.Node().(*ast.CallExpr)
			if !ok {
				return c.runsHere(in)
			}
			called := callee.Func(c.TypesInfo, call)
			what := c.directEffect(call)
			switch {
			case what != "" || c.sends[fn] != nil:
			case called != nil && called.Pkg() == c.Pass.Pkg:
				callers[called] = append(callers[called], fn)
			default:
				if s := c.sendsOf(called); s != nil {
					what = s.What
				}
			}
			if what != "" && c.sends[fn] == nil {
				c.sends[fn] = &sends{what, c.Place(call.Pos())}
				learned = append(learned, fn)
			}
			return true
		})
	}
	for len(learned) > 0 {
		fn := learned[0]
		learned = learned[1:]
		for _, caller := range callers[fn] {
			if c.sends[caller] == nil {
				c.sends[caller] = c.sends[fn]
				learned = append(learned, caller)
			}
		}
	}
	for fn, s := range c.sends {
		if h := c.Handlers.For(c.Decls[fn].Node()); fn.Exported() && (h == nil || h.Func != c.Decls[fn].Node()) {
			c.ExportObjectFact(fn, s)
		}
	}
}
