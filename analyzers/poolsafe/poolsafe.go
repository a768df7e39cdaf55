package poolsafe

import (
	_ "embed"
	"go/token"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/code"
	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
	"git.sr.ht/~sourcehut/ha-go/analyzers/sqlquery"
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

//go:embed doc.go
var docgo string

// New makes the analyzer.
func New() *analysis.Analyzer {
	a := code.New(docgo, run, sqlquery.Analyzer)
	a.FactTypes = []analysis.Fact{new(locks)}
	return a
}

type checker struct {
	*code.Package
	found *sqlquery.Result
	stmts []statement
	seen  map[place]bool // what was reported: one text may be sent from several places
}

type place struct {
	check string
	pos   token.Pos
}

// statement is one statement that a site may send.
type statement struct {
	pgast.Stmt
	site    *query.Site
	variant *query.Variant
	// begun: in a transaction that the code or the text itself began; alone: nothing stands before it in its text.
	begun, alone bool
}

func run(pkg *code.Package) {
	c := &checker{Package: pkg, found: pkg.ResultOf[sqlquery.Analyzer].(*sqlquery.Result), seen: map[place]bool{}}
	c.read()
	for _, s := range c.stmts {
		c.checkSet(s)
		c.checkCalls(s)
		c.checkListen(s)
		c.checkTemporary(s)
		c.checkCursor(s)
		c.checkPrepare(s)
	}
	c.checkGo()
}

// session finds texts that are worth parsing.
var session = regexp.MustCompile(`(?i)(?:^|;|\n)\s*(?:set|reset|listen|prepare|execute|declare)\b|set_config\s*\(|_advisory_|\btemp(?:orary)?\b|\bcurrval\b|\blastval\b|\bdrop\s+table\b`)

// read parses the statements that the package sends and that may need a session.
func (c *checker) read() {
	for i := range c.found.Sites {
		site := &c.found.Sites[i]
		if site.Module != "" || site.Kind == query.Name || strings.HasSuffix(site.Pos.File, "_test.go") {
			continue
		}
		for j := range site.Variants {
			v := &site.Variants[j]
			if !session.MatchString(v.SQL) {
				continue
			}
			stmts, _ := pgast.ParseEach(v.SQL)
			begun := site.Tx == query.TxReadOnly || site.Tx == query.TxReadWrite
			for k, s := range stmts {
				if t := s.Node.GetTransactionStmt(); t != nil {
					begun = t.GetKind() == pgast.TransactionStmtKind_TRANS_STMT_BEGIN || t.GetKind() == pgast.TransactionStmtKind_TRANS_STMT_START
				}
				c.stmts = append(c.stmts, statement{Stmt: s, site: site, variant: v, begun: begun, alone: k == 0})
			}
		}
	}
}

// pos is where a byte of a statement's text stands in the Go code, or the place it is sent from.
func (c *checker) pos(s statement, offset int) token.Pos {
	if pos := c.found.Pos(s.variant.Position(s.site, offset)); pos.IsValid() {
		return pos
	}
	return c.found.Pos(s.site.Pos) // the text is in a file that is not Go
}

// report files a finding about a part of a statement, once however often it is sent.
func (c *checker) report(s statement, check string, offset int, message, help string, fixes ...analysis.SuggestedFix) {
	c.reportAt(findings.Finding{Check: check, Pos: c.pos(s, offset), Message: message, Help: help, Fixes: fixes})
}

func (c *checker) reportAt(f findings.Finding) {
	at := place{f.Check, f.Pos}
	if !f.Pos.IsValid() || c.seen[at] {
		return
	}
	c.seen[at] = true
	c.Report(f)
}

// replace is the fix that puts text in the place of length bytes of a statement; none when they do not stand in the code
// as they are, or are sent from elsewhere as well outside of a transaction.
func (c *checker) replace(s statement, message string, offset, length int, text string) []analysis.SuggestedFix {
	if !s.variant.Linear(offset, length) || c.sentElsewhere(s) {
		return nil
	}
	from := c.found.Pos(s.variant.Position(s.site, offset))
	if !from.IsValid() {
		return nil
	}
	return []analysis.SuggestedFix{{Message: message, TextEdits: []analysis.TextEdit{{Pos: from, End: from + token.Pos(length), NewText: []byte(text)}}}}
}

// sentElsewhere reports whether the text of a statement is also sent where no transaction is known.
func (c *checker) sentElsewhere(s statement) bool {
	at := s.variant.Position(s.site, s.Offset)
	for _, other := range c.stmts {
		if !other.begun && other.variant.Position(other.site, other.Offset) == at {
			return true
		}
	}
	return false
}

// settings are those of the module, the zero value when there are none that can be read.
func (c *checker) settings() *settings.Settings {
	root := c.Result().Root
	if name := settings.Find(root, root); root != "" && name != "" {
		if s, err := settings.Load(name); err == nil {
			return s
		}
	}
	return &settings.Settings{}
}
