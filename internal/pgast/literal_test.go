package pgast

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadLiteral reads each form of a string constant, compares with what the parser makes of it, and looks up where the word "here" of
// the value stands in the text: where it is written, or where the escape begins.
func TestReadLiteral(t *testing.T) {
	for _, c := range []struct {
		text string
		at   string // what stands where "here" of the value begins
	}{
		{`'plain here'`, "here"},
		{`'it''s ''here'''`, "here"},
		{`'a back\slash is one: here'`, "here"},
		{`E'tab\there'`, "here"},
		{`e'\\\'\101\x42\u00e9\n''here'`, "here"},
		{`E'\qé\é, \x68ere'`, `\x68ere`},
		{"'one '\n\t'two here'", "here"},
		{"E'one\\n'\n'two\\n here'", "here"},
		{`$$it's \here$$`, "here"},
		{"$tag$\n$$ here $$\n$tag$", "here"},
		{`'é ü here'`, "here"},
	} {
		t.Run(c.text, func(t *testing.T) {
			sql := "SELECT /* ' */ " + c.text
			stmts, err := Parse(sql)
			require.NoError(t, err)
			want := stmts[0].Node.GetSelectStmt().TargetList[0].GetResTarget().Val.GetAConst().GetSval().GetSval()
			tokens := NewScanner(sql)
			for {
				token, ok := tokens.Next()
				require.True(t, ok, "no literal found")
				lit, ok := ReadLiteral(sql, token)
				if !ok {
					continue
				}
				assert.Equal(t, want, lit.Value)
				i := strings.Index(lit.Value, "here")
				require.GreaterOrEqual(t, i, 0)
				assert.Equal(t, c.at, strings.TrimRight(sql[lit.Offset(i):][:len(c.at)], " "))
				return
			}
		})
	}
	for _, text := range []string{`U&'here'`, `N'here'`, `B'01'`, `X'1F'`, `E'\ud83d\ude00'`, "here", "1"} {
		token, ok := NewScanner(text).Next()
		require.True(t, ok)
		_, ok = ReadLiteral(text, token)
		assert.False(t, ok, text)
	}
}
