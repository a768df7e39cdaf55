package pgast

import (
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"github.com/stretchr/testify/require"
)

// theirKind is our kind for a token of libpg_query's scanner.
func theirKind(tok *pg_query.ScanToken, first byte) Kind {
	switch tok.Token {
	case pg_query.Token_SQL_COMMENT:
		return KindLineComment
	case pg_query.Token_C_COMMENT:
		return KindBlockComment
	case pg_query.Token_ICONST, pg_query.Token_FCONST:
		return KindNumber
	case pg_query.Token_PARAM:
		return KindParam
	case pg_query.Token_SCONST:
		if first == '$' {
			return KindDollarString
		}
		return KindString
	case pg_query.Token_BCONST, pg_query.Token_XCONST, pg_query.Token_USCONST:
		return KindString
	case pg_query.Token_UIDENT:
		return KindQuotedIdent
	case pg_query.Token_IDENT:
		if first == '"' {
			return KindQuotedIdent
		}
		return KindWord
	case pg_query.Token_TYPECAST, pg_query.Token_DOT_DOT, pg_query.Token_COLON_EQUALS, pg_query.Token_EQUALS_GREATER,
		pg_query.Token_LESS_EQUALS, pg_query.Token_GREATER_EQUALS, pg_query.Token_NOT_EQUALS, pg_query.Token_Op:
		return KindOperator
	}
	if tok.Token < 256 { // the ASCII characters of scan.l's {self} and {other}
		switch classes[byte(tok.Token)] {
		case classPunct:
			return KindPunct
		case classOp:
			return KindOperator
		}
		return KindInvalid
	}
	return KindWord // keywords
}

// requireSameTokens compares our scanner with libpg_query's on a text theirs accepts, and says whether it does.
func requireSameTokens(t testing.TB, sql string) bool {
	var ours []Token
	scanner := NewScanner(sql)
	last := 0
	invalid := false
	for {
		tok, ok := scanner.Next()
		if !ok {
			break
		}
		if tok.Start < last || tok.End <= tok.Start || tok.End > len(sql) {
			require.Fail(t, "tokens must not be empty and not overlap", "%+v after %d in %q", tok, last, sql)
		}
		if strings.Trim(sql[last:tok.Start], " \t\r\n\f") != "" {
			require.Fail(t, "token missed", "before %+v in %q", tok, sql)
		}
		last = tok.End
		invalid = invalid || tok.Kind == KindInvalid
		ours = append(ours, tok)
	}
	require.Empty(t, strings.Trim(sql[last:], " \t\r\n\f"), "token missed at the end of %q", sql)
	if checkText(sql) != nil {
		return false
	}
	theirs, err := pg_query.Scan(sql)
	if err != nil {
		return false
	}
	// libpg_query gives N'x' as the keyword NCHAR at N and a string.
	var tokens []*pg_query.ScanToken
	for i := 0; i < len(theirs.Tokens); i++ {
		tok := theirs.Tokens[i]
		if tok.Token == pg_query.Token_NCHAR && i+1 < len(theirs.Tokens) && tok.End == tok.Start+1 && sql[tok.End] == '\'' {
			i++
			tok = &pg_query.ScanToken{Start: tok.Start, End: theirs.Tokens[i].End, Token: pg_query.Token_SCONST}
		}
		tokens = append(tokens, tok)
	}
	for i, tok := range ours {
		if i >= len(tokens) {
			require.Fail(t, "we have more tokens", "%q", sql)
		}
		their := Token{Kind: theirKind(tokens[i], sql[tok.Start]), Start: int(tokens[i].Start), End: int(tokens[i].End)}
		switch tokens[i].Token {
		case pg_query.Token_USCONST, pg_query.Token_UIDENT: // their end is wrong (pg_query_scan.c)
			their.End = tok.End
		}
		if their != tok {
			require.Equal(t, their, tok, "token %d, %q, of %q", i, sql[tok.Start:tok.End], sql)
		}
	}
	require.Len(t, ours, len(tokens), "they have more tokens in %q", sql)
	return true
}

// scannerSeeds are texts about which scan.l has a rule.
var scannerSeeds = []string{
	"", " ", "select 1", "SELECT a.b.c, \"D\".\"e\"\"f\" FROM t",
	"'a''b'", "E'a\\'b'", "E'\\\\'", "e'\\n\\x41\\101\\u0041'", "'a\\'", "B'101'", "b'1'", "X'1F'", "x''", "N'n'", "n'x' 'y'", "U&'d\\0061t'", "U&\"d\\0061t\"", "u&'x' uescape '!'", "u&x", "u&", "U &'x'",
	"'a'\n'b'", "'a' 'b'", "'a' \t\r\n \f 'b' 'c'", "'a' -- c\n'b'", "'a' /* c */\n'b'", "E'a'\n'b\\'c'", "B'1'\n'0'", "'a'\v\n'b'", "'a'\r'b'",
	"$$a$$", "$a$b$a$", "$a$ $b$ $$ $a$", "$a$b$A$c$a$", "$1", "$1a", "$1$2", "$a", "$", "$$", "$a$", "a$b$c", "a$$b", "$é$x$é$", "$_1$x$_1$", "$1$x$1$", "$$a$", "$a$$a$", "$a$b$a$c$",
	"1", "1.5", ".5", "5.", "1..10", "1...2", "1e5", "1E+5", "1.5e-3", "1e", "1e+", "1.e5", ".5e5", "1_000", "1__0", "1_", "_1", "0x1F", "0xg", "0x", "0x_1", "0o17", "0o8", "0b101", "0b2", "0b", "017", "1a", "1.5a", "1e5a", "1.a", "0x1.5", "0b1_0", "1_000.5_5e1_0", "1._5", "1.5_", "1é", "123.and",
	"a+b", "a+-b", "a=-1", "a=+-+1", "@-1", "a@+", "a<=b", "a>=b", "a<>b", "a!=b", "a=>b", "a::b", "a:=b", "a : b", "a..b", ":a", "::", ":::", "::=", ":", "a.b", "...", "....",
	"a--b", "a -- b\n+c", "a+--b", "a/*b*/c", "a/*b/*c*/d*/e", "a*/b", "a+/*b*/-c", "/*/*/**/*/*/", "/*/", "/**/", "/***/", "/*/**/", "--", "--\r\nx", "--a\rb", "@/*x*/", "@--x", "<--", "=-/*", "*/*a*/", "/-", "-/", "+-*/", "!~~*", "||/ 8", "<->", "?|", "?-|", "#>>", "`", "~", "\\", "{", "}", "a'b'", "a\"b\"", "\"\"", "\"a", "'a", "U&'a", "U&\"\"", "E'\\", "é", "\u00a0", "\x01", "\x7f",
	"+++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++",
	"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
	"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
}

func TestScannerAgreesWithPostgreSQL(t *testing.T) {
	for _, sql := range scannerSeeds {
		requireSameTokens(t, sql)
		for _, other := range scannerSeeds { // what stands before a token can change it
			requireSameTokens(t, sql+other)
		}
	}
	accepted, total := 0, 0
	for _, text := range corpus(t) {
		requireSameTokens(t, text)
		for _, span := range Split(text) {
			total++
			if requireSameTokens(t, span.Text) {
				accepted++
			}
		}
	}
	t.Logf("%d statements, %d accepted by libpg_query's scanner", total, accepted)
}
