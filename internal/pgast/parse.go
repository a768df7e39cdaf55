package pgast

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/pganalyze/pg_query_go/v5/parser"
)

// Parse returns the statements of sql, or a *SyntaxError or *LimitError for the first that cannot be parsed.
// It is safe for concurrent use.
func Parse(sql string) ([]Stmt, error) {
	if err := checkText(sql); err != nil {
		return nil, err
	}
	return new(Parser).parsePieces(sql, 0, len(sql), survey(sql))
}

// Parser is Parse for one text after the other: what it returns takes less memory, as the trees share blocks. In exchange a
// node that is kept may keep some nodes of other texts. The zero value works; it is not safe for concurrent use.
type Parser struct {
	arena strings.Builder
	slabs slabs
	guard surveyor
}

// ParseEach is Parse for texts that may hold mistakes: each statement that parses is returned, and an error
// (*SyntaxError or *LimitError, offsets into sql) for each that does not, both in the order of the text.
func ParseEach(sql string) ([]Stmt, []error) { return new(Parser).ParseEach(sql) }

// ParseEach is the function of that name.
func (p *Parser) ParseEach(sql string) ([]Stmt, []error) {
	if err := checkText(sql); err != nil {
		return nil, []error{err}
	}
	pieces := p.guard.survey(sql)
	stmts, err := p.parsePieces(sql, 0, len(sql), pieces)
	if err == nil {
		return stmts, nil
	}
	var errs []error
	for _, piece := range pieces {
		stmts, errs = p.parseEachIn(sql, piece, stmts, errs)
	}
	return stmts, errs
}

// parseEachIn parses one piece of sql by itself. When it fails because of an open parenthesis, the statements behind
// its semicolons are tried too: the parenthesis is probably the mistake, and must not hide them.
func (p *Parser) parseEachIn(sql string, one piece, stmts []Stmt, errs []error) ([]Stmt, []error) {
	parsed, err := p.parsePieces(sql, one.start, one.end, []piece{one})
	if err == nil {
		return append(stmts, parsed...), errs
	}
	errs = append(errs, err)
	semicolon := firstSemicolon(sql[one.start:one.end])
	if semicolon < 0 {
		return stmts, errs
	}
	rest := one.start + semicolon + 1
	var syntax *SyntaxError
	if atSemicolon := errors.As(err, &syntax) && syntax.Offset == rest-1; !atSemicolon && !one.unbalanced {
		return stmts, errs // a mistake inside CREATE RULE … DO (…; …) or BEGIN ATOMIC
	}
	for _, q := range survey(sql[rest:one.end]) {
		q.start += rest
		q.end += rest
		if q.crossed >= 0 {
			q.crossed += rest
		}
		stmts, errs = p.parseEachIn(sql, q, stmts, errs)
	}
	return stmts, errs
}

func firstSemicolon(sql string) int {
	scanner := Scanner{sql: sql}
	for {
		tok, ok := scanner.Next()
		if !ok {
			return -1
		}
		if tok.Kind == KindPunct && sql[tok.Start] == ';' {
			return tok.Start
		}
	}
}

// parsePieces parses sql[from:to], whose statements are pieces. Everything it returns counts from the start of sql.
func (p *Parser) parsePieces(sql string, from, to int, pieces []piece) ([]Stmt, error) {
	depth := 0
	for _, one := range pieces {
		if err := one.limitError(); err != nil {
			return nil, err
		}
		depth = max(depth, one.depth)
	}
	if len(pieces) == 0 {
		return nil, nil
	}
	parse := p.parseRaw
	if depth > shallowDepth {
		parse = p.parseDeep
	}
	raws, err := parse(sql[from:to], from, len(pieces))
	var newer []newerNotNull
	if err != nil {
		var older string
		if older, newer = withoutNewer(sql, pieces); len(newer) == 0 {
			return nil, syntaxError(sql, from, err)
		}
		first := syntaxError(sql, from, err)
		if raws, err = parse(older[from:to], from, len(pieces)); err != nil {
			if err = syntaxError(sql, from, err); atStandIn(err, newer) {
				err = first
			}
			return nil, err
		}
	}
	stmts := make([]Stmt, len(raws))
	for i := range raws {
		raw := &raws[i]
		start, end := int(raw.StmtLocation), to
		if raw.StmtLen > 0 {
			end = start + int(raw.StmtLen)
		}
		if len(pieces) == len(stmts) && pieces[i].start >= start && pieces[i].end <= end {
			start, end = pieces[i].start, pieces[i].end
		} else {
			start, end = trim(sql, start, end)
		}
		stmts[i] = Stmt{Node: raw.Stmt, SQL: sql[start:end], Offset: start}
	}
	putBack(stmts, newer)
	return stmts, nil
}

// parseDeep is parseRaw for trees that need a large stack.
func (p *Parser) parseDeep(text string, base, expected int) (raws []rawStmt, err error) {
	if e := onBigStack(func() { raws, err = p.parseRaw(text, base, expected) }); e != nil {
		return nil, e
	}
	return raws, err
}

// parseRaw parses text, which begins at base in the text that locations are to count from.
func (p *Parser) parseRaw(text string, base, expected int) ([]rawStmt, error) {
	json, err := parser.ParseToJSON(text)
	if err != nil {
		return nil, err
	}
	raws, err := p.decode(json, text, base, expected)
	if err != nil {
		return nil, err
	}
	for i := range raws {
		raw := &raws[i]
		if !raw.lossy {
			continue
		}
		start, end := int(raw.StmtLocation)-base, len(text)
		if raw.StmtLen > 0 {
			end = start + int(raw.StmtLen)
		}
		wire, err := parser.ParseToProtobuf(text[start:end])
		if err != nil {
			return nil, err
		}
		tree, err := decodeProtobuf(wire)
		if err != nil {
			return nil, err
		}
		if len(tree.Stmts) != 1 {
			return nil, errMalformed
		}
		if err := restore(raw.Stmt, tree.Stmts[0].Stmt); err != nil {
			return nil, err
		}
	}
	return raws, nil
}

// trim narrows sql[start:end] to what lies between its first and its last token that is not a comment.
func trim(sql string, start, end int) (int, int) {
	scanner := Scanner{sql: sql[:end], pos: start}
	first, last := -1, end
	for {
		tok, ok := scanner.Next()
		if !ok {
			break
		}
		if tok.IsComment() {
			continue
		}
		if first < 0 {
			first = tok.Start
		}
		last = tok.End
	}
	if first < 0 {
		return start, end
	}
	return first, last
}

// syntaxError turns libpg_query's error into ours. Its cursor position counts characters from 1, as PostgreSQL's
// does (scanner_errposition in scan.l), and is 0 when there is none; the text it parsed begins at from.
func syntaxError(sql string, from int, err error) error {
	var perr *parser.Error
	if !errors.As(err, &perr) {
		return err
	}
	offset := from
	for n := perr.Cursorpos - 1; n > 0 && offset < len(sql); n-- {
		_, size := utf8.DecodeRuneInString(sql[offset:])
		offset += size
	}
	return &SyntaxError{Message: perr.Message, Offset: offset}
}
