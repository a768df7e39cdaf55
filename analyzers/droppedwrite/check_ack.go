package droppedwrite

import (
	"go/ast"
	"go/constant"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/handlers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/syntax"
)

// ackOf is what a call acknowledges to the other side, "" for none that is known.
func (c *checker) ackOf(call *ast.CallExpr) string {
	last := syntax.Called(call)
	has := func(parts ...string) bool {
		name := callee.Name(c.TypesInfo, call)
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	}
	switch last {
	case "WriteHeader":
		if len(call.Args) == 1 && c.success(call.Args[0]) && has("net/http.ResponseWriter") {
			return "the HTTP request"
		}
	case "Status", "JSON", "String", "AbortWithStatus":
		if len(call.Args) > 0 && c.success(call.Args[0]) && has("gin-gonic/gin.Context") {
			return "the HTTP request"
		}
	case "Ack", "AckSync", "DoubleAck":
		if has("amqp", "nats", "jetstream", "pubsub", "watermill") {
			return "the message"
		}
	case "CommitMessages", "MarkMessage", "MarkOffset":
		if has("kafka", "sarama") {
			return "the message"
		}
	case "XAck":
		if has("redis") {
			return "the job"
		}
	case "DeleteMessage", "DeleteMessageWithContext":
		if has("/sqs") {
			return "the message"
		}
	case "SetStatus":
		if len(call.Args) == 2 && has("go-smtp") {
			if id, ok := ast.Unparen(call.Args[1]).(*ast.Ident); ok && id.Name == "nil" {
				return "the mail"
			}
		}
	case "PrintfLine", "Cmd", "Fprintf", "Fprint", "Fprintln", "WriteString":
		if has("net/textproto", "fmt.Fprint", "io.WriteString", "bufio.Writer") && slices.ContainsFunc(call.Args, c.smtpOK) {
			return "the mail"
		}
	}
	return ""
}

// success reports whether an expression is a constant status of 200 to 299.
func (c *checker) success(e ast.Expr) bool {
	v := c.TypesInfo.Types[e].Value
	if v == nil || v.Kind() != constant.Int {
		return false
	}
	n, ok := constant.Int64Val(v)
	return ok && n >= 200 && n < 300
}

var smtpOK = regexp.MustCompile(`^250[ -].*`)

// smtpOK recognises SMTP's "250 OK" (RFC 5321, section 4.2.3).
func (c *checker) smtpOK(e ast.Expr) bool {
	text, ok := c.Values.Constant(e)
	return ok && smtpOK.MatchString(text)
}

// acks reports what is acknowledged before it is written.
func (c *checker) acks(fn *function) {
	for _, a := range fn.acks {
		if c.failing(a.cur) {
			continue
		}
		if tx, ok := c.openAt(fn, a.cur); ok {
			at := tx.commit
			if at == nil {
				at = tx.at
			}
			c.earlyAck(a, at)
			continue
		}
		if at := c.writeAfter(fn, a.cur); at != nil && !c.streams(fn, a.cur) {
			c.earlyAck(a, at)
		}
	}
	c.startedWrites(fn)
}

func (c *checker) earlyAck(a effect, write ast.Node) {
	call := a.cur.Node()
	c.Report(findings.Finding{Check: "early-ack", Pos: call.Pos(), End: call.End(),
		Message: "this acknowledges " + a.what + " before what it asks for is written: when the write fails (a failover, a deploy, a lost connection), nobody sends it again, and it is lost",
		Help:    "Acknowledge after the Commit has returned nil.",
		Related: []analysis.RelatedInformation{{Pos: write.Pos(), End: write.End(), Message: "it is written here"}}})
}

// streams reports whether the response goes on behind its status: a body is written, by the handler or what it gives the
// ResponseWriter to. What such a handler notes afterwards (a download counted, a client last seen) is not what was asked for.
func (c *checker) streams(fn *function, ack inspector.Cursor) bool {
	sel, ok := ast.Unparen(ack.Node().(*ast.CallExpr).Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok || callee.TypeName(c.TypesInfo, id) != "net/http.ResponseWriter" {
		return false
	}
	w, found := c.TypesInfo.Uses[id], false
	ast.Inspect(syntax.Body(fn.node), func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && callee.Name(c.TypesInfo, call) == "net/http.Error" {
			return false // says that it has failed, to nobody
		}
		use, ok := n.(*ast.Ident)
		found = found || ok && use.Pos() > ack.Node().End() && c.TypesInfo.Uses[use] == w
		return !found
	})
	return found
}

// writeAfter is a write that may follow what stands at a place in the same function: a statement that writes, a Commit, or a function that is given
// a transaction.
func (c *checker) writeAfter(fn *function, at inspector.Cursor) ast.Node {
	for _, cur := range fn.calls {
		call := cur.Node().(*ast.CallExpr)
		if _, deferred := cur.Parent().Node().(*ast.DeferStmt); deferred || !reaches(at, cur) {
			continue
		}
		if text, ok := c.execOf(call); ok && writes(text) {
			return call
		}
		if _, ok := c.commitOf(call); ok {
			return call
		}
		if c.runsTx(cur, call) {
			return call
		}
	}
	return nil
}

// runsTx recognises a call that runs a function literal in a transaction that writes.
func (c *checker) runsTx(cur inspector.Cursor, call *ast.CallExpr) bool {
	lit, ok := c.txLit(cur, call)
	return ok && c.writesIn(lit, 0)
}

// txLit is the function literal that a call runs in a transaction.
func (c *checker) txLit(cur inspector.Cursor, call *ast.CallExpr) (inspector.Cursor, bool) {
	for _, arg := range call.Args {
		lit, ok := ast.Unparen(arg).(*ast.FuncLit)
		if !ok {
			continue
		}
		if in, ok := cur.FindNode(lit); ok {
			if tx, _ := c.txParam(&function{cur: in, node: lit, sig: c.Signature(lit)}); tx != nil {
				return in, true
			}
		}
	}
	return inspector.Cursor{}, false
}

// writesIn reports whether a statement that writes is seen in a function, or in those of this package that it calls.
func (c *checker) writesIn(cur inspector.Cursor, depth int) bool {
	for in := range cur.Preorder((*ast.CallExpr)(nil)) {
		call := in.Node().(*ast.CallExpr)
		if text, ok := c.execOf(call); ok && writes(text) {
			return true
		}
		if decl, ok := c.Decls[callee.Func(c.TypesInfo, call)]; ok && depth < 2 && c.writesIn(decl, depth+1) {
			return true
		}
	}
	return false
}

// startedWrites reports writes that a handler of mails or jobs leaves to a goroutine that it does not wait for: its return is
// the acknowledgement.
func (c *checker) startedWrites(fn *function) {
	h := c.Handlers.For(fn.node)
	if h == nil || h.Func != fn.node || h.Kind != handlers.SMTP && h.Kind != handlers.Job {
		return
	}
	for cur := range fn.cur.Preorder((*ast.GoStmt)(nil)) {
		if syntax.EnclosingFunc(cur) != fn.node {
			continue
		}
		call := cur.Node().(*ast.GoStmt).Call
		body := cur
		if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
			body, _ = cur.FindNode(lit)
		} else if decl, ok := c.Decls[callee.Func(c.TypesInfo, call)]; ok {
			body = decl
		} else {
			continue
		}
		if !c.writesIn(body, 0) || waits(fn, cur) {
			continue
		}
		c.Report(findings.Finding{Check: "early-ack", Pos: call.Pos(), End: call.Fun.Pos() + 1,
			Message: h.Name + " returns, which acknowledges the " + string(h.Kind) + ", while this goroutine still writes what it asks for: when the node leaves or the primary fails over, nobody sends it again, and it is lost",
			Help:    "Write before returning, and return the error."})
	}
}

// waits reports whether a function waits for anything behind a statement: Wait, or a receive from a channel.
func waits(fn *function, after inspector.Cursor) bool {
	found := false
	ast.Inspect(fn.node, func(n ast.Node) bool {
		if n == nil || n.End() <= after.Node().End() {
			return !found
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			found = found || n.Pos() > after.Node().End() && syntax.Receiver(n, "Wait") != nil
		case *ast.UnaryExpr:
			found = found || n.Pos() > after.Node().End() && n.Op == token.ARROW
		case *ast.SelectStmt, *ast.RangeStmt:
			found = found || n.Pos() > after.Node().End()
		}
		return !found
	})
	return found
}
