package detachedwork

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"unicode"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/callee"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/contexts"
)

// acts is a fact about a function: it does something that outlasts the process, and that is lost when the process ends first.
type acts struct {
	What string // "a statement to the database"
	By   string // the function that does
	// Context: it does so for as long as its first parameter, a context, lets it.
	Context bool
}

func (*acts) AFact() {}

func (a *acts) String() string { return "acts by " + a.By }

// effects are functions and methods of libraries that act, by the beginning of their full name and by their own name; no names: all.
var effects = []struct {
	prefix string
	names  []string
	what   string
}{
	{"database/sql.", sqlMethods, aStatement},
	{"github.com/jackc/pgx/", append([]string{"SendBatch", "CopyFrom"}, sqlMethods...), aStatement},
	{"github.com/jmoiron/sqlx.", append([]string{"MustExec", "MustExecContext", "NamedExec", "NamedExecContext"}, sqlMethods...), aStatement},
	{"github.com/Masterminds/squirrel.", sqlMethods, aStatement},
	{"gorm.io/gorm.", []string{"Create", "Save", "Update", "Updates", "UpdateColumn", "Delete", "Exec", "FirstOrCreate"}, aStatement},
	{"net/http.", []string{"Do", "Post", "PostForm"}, aRequest},
	{"git.sr.ht/~sircmpwn/core-go/client.", []string{"Do", "Execute"}, aRequest},
	{"net/smtp.", []string{"SendMail", "Data"}, aMail},
	{"git.sr.ht/~sircmpwn/core-go/email.", nil, aMail},
	{"gopkg.in/gomail", []string{"DialAndSend", "Send"}, aMail},
	{"github.com/wneessen/go-mail.", []string{"DialAndSend", "DialAndSendWithContext", "Send"}, aMail},
	{"github.com/redis/go-redis/", redisWrites, "a write to Redis"},
	{"github.com/go-redis/redis/", redisWrites, "a write to Redis"},
	{"os.", []string{"WriteFile", "Create", "CreateTemp", "OpenFile", "Mkdir", "MkdirAll", "Remove", "RemoveAll", "Rename", "Symlink"}, "a change of files"},
	{"os/exec.", []string{"Run", "Start", "CombinedOutput"}, "a command"},
}

const (
	aStatement = "a statement to the database"
	aRequest   = "a request to another service"
	aMail      = "a mail"
)

var (
	sqlMethods = append([]string{"Exec", "ExecContext"}, sqlQueries...)
	// sqlQueries act only when their text does: INSERT … RETURNING.
	sqlQueries = []string{"Query", "QueryContext", "QueryRow", "QueryRowContext"}
	// redisWrites are the commands that services use; a goroutine that only reads has nothing to lose.
	redisWrites = []string{"Append", "Decr", "DecrBy", "Del", "Eval", "EvalSha", "Expire", "ExpireAt", "GetDel", "HDel", "HIncrBy", "HMSet", "HSet",
		"HSetNX", "Incr", "IncrBy", "LPush", "LRem", "LTrim", "Persist", "Publish", "RPush", "SAdd", "SRem", "Set", "SetEx", "SetNX", "Unlink",
		"XAdd", "XAck", "ZAdd", "ZIncrBy", "ZRem"}
)

// verbs begin the names of methods of which only the name is known, because they are behind an interface or in a library, that
// somebody relies on having been done.
var verbs = []string{"Send", "Publish", "Pub", "Notify", "Deliver", "Enqueue", "Save", "Insert", "Upsert", "Persist", "Upload", "Import", "Charge", "Email"}

// effect is what a call of a library's function, or through an interface, does: "" for nothing that is known. known is true of
// the libraries that effects lists.
func (c *checker) effect(call *ast.CallExpr) (what string, known bool) {
	name := callee.Name(c.TypesInfo, call)
	if name == "" {
		return "", false
	}
	own := callee.Last(name)
	bare := callee.Bare(name)
	for _, e := range effects {
		if strings.HasPrefix(bare, e.prefix) {
			if e.names != nil && !slices.Contains(e.names, own) || e.what == aStatement && !c.writes(call, own) {
				return "", true
			}
			return e.what, true
		}
	}
	fn := callee.Func(c.TypesInfo, call)
	if !c.remote(fn, bare) || !slices.ContainsFunc(verbs, func(v string) bool { return hasWord(own, v) }) {
		return "", false
	}
	if fn != nil && !fallible(fn.Signature()) {
		return "", false // it has nobody to tell of a failure: a log, a hub of channels
	}
	return "what " + own + " does", false
}

// writes reports whether a call of a database's library can write: not when its text only reads, nor when it returns rows and
// its text is not known.
func (c *checker) writes(call *ast.CallExpr, method string) bool {
	for _, arg := range call.Args {
		text, ok := c.Values.Constant(arg)
		if !ok {
			continue
		}
		text = strings.ToUpper(text)
		return slices.ContainsFunc([]string{"INSERT", "UPDATE", "DELETE", "MERGE", "CALL"}, func(word string) bool { return strings.Contains(text, word) }) ||
			!slices.Contains(sqlQueries, method) && !strings.HasPrefix(strings.TrimSpace(text), "SELECT")
	}
	return !slices.Contains(sqlQueries, method)
}

// remote reports whether nothing but the name of a function can be known here: it has no body that a fact would be about.
func (c *checker) remote(fn *types.Func, bare string) bool {
	if fn == nil {
		first, _, _ := strings.Cut(bare, "/")
		return strings.Contains(first, ".") // of a package that could not be loaded, not of the standard library
	}
	if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		return fn.Pkg() != nil && (c.inModule(fn.Pkg()) || !standard(fn.Pkg().Path()))
	}
	return fn.Pkg() != nil && !c.inModule(fn.Pkg()) && !standard(fn.Pkg().Path())
}

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// inModule reports whether a package is of the module of this one: facts tell what its functions do.
func (c *checker) inModule(pkg *types.Package) bool {
	if pkg == c.Pkg {
		return true
	}
	if c.Module == nil || c.Module.Path == "" {
		return false
	}
	return pkg.Path() == c.Module.Path || strings.HasPrefix(pkg.Path(), c.Module.Path+"/")
}

// hasWord reports whether a name in camel case begins with a word.
func hasWord(name, word string) bool {
	rest, ok := strings.CutPrefix(name, word)
	return ok && (rest == "" || !unicode.IsLower([]rune(rest)[0]))
}

// fallible: a function with an error among its results, or a context to be cancelled by.
func fallible(sig *types.Signature) bool {
	return callee.ReturnsError(sig) || callee.TakesContext(sig)
}

// deed is a call that acts, in some code.
type deed struct {
	acts
	call *ast.CallExpr
	ctx  ast.Expr // the context that it is given; nil for none
}

// deeds lists what code does before it is over; goroutines that it starts are others.
func (c *checker) deeds(body ast.Node) []deed {
	var list []deed
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			return false
		case *ast.CallExpr:
			if d, ok := c.deed(n); ok {
				list = append(list, d)
			}
		}
		return true
	})
	return list
}

func (c *checker) deed(call *ast.CallExpr) (deed, bool) {
	ctx := contexts.Arg(c.TypesInfo, call)
	name := callee.Name(c.TypesInfo, call)
	what, known := c.effect(call)
	if what != "" {
		if what == aRequest && ctx == nil {
			ctx = c.requestContext(call)
		}
		return deed{acts{What: what, By: name, Context: ctx != nil}, call, ctx}, true
	}
	if known {
		return deed{}, false
	}
	fn := callee.Func(c.TypesInfo, call)
	if fn == nil {
		return deed{}, false
	}
	if a := c.actsOf(fn); a != nil {
		if !a.Context {
			ctx = nil
		}
		return deed{*a, call, ctx}, true
	}
	return deed{}, false
}

// actsOf is what a function of this package or of another does; nil for nothing known.
func (c *checker) actsOf(fn *types.Func) *acts {
	if known, ok := c.acting[fn]; ok {
		return known // nil while it is being looked at
	}
	c.acting[fn] = nil
	if fn.Pkg() != c.Pkg {
		if c.Module != nil && c.Module.Path != "" && (fn.Pkg() == nil || !c.inModule(fn.Pkg())) {
			return nil // some drivers have facts of libraries, others not
		}
		var fact acts
		if c.ImportObjectFact(fn, &fact) {
			c.acting[fn] = &fact
		}
		return c.acting[fn]
	}
	decl := c.Decl(fn)
	if decl == nil {
		return nil
	}
	var all *acts
	for _, d := range c.deeds(decl.Body) {
		a := d.acts
		a.Context = d.ctx != nil && c.isFirstParam(d.ctx, fn)
		if all == nil || a.Context && !all.Context {
			all = &a
		}
	}
	c.acting[fn] = all
	return all
}

// isFirstParam reports whether a context is, or is made from, the first parameter of a function.
func (c *checker) isFirstParam(ctx ast.Expr, fn *types.Func) bool {
	params := fn.Signature().Params()
	return params.Len() > 0 && c.contextRoot(ctx) == params.At(0)
}

// requestContext is the context that the request which a client sends was made with.
func (c *checker) requestContext(call *ast.CallExpr) ast.Expr {
	for _, arg := range call.Args {
		made, ok := c.Values.Resolve(arg).Expr.(*ast.CallExpr)
		if ok && callee.Name(c.TypesInfo, made) == "net/http.NewRequestWithContext" && len(made.Args) > 0 {
			return made.Args[0]
		}
	}
	return nil
}
