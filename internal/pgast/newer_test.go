package pgast

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notNulls lists the NOT NULL constraints of the statements of a text, and which form the statements have.
func notNulls(t *testing.T, sql string) []string {
	stmts, errs := ParseEach(sql)
	var list []string
	for _, s := range stmts {
		require.Equal(t, sql[s.Offset:s.Offset+len(s.SQL)], s.SQL)
		WalkMessages(s.Node, func(m Message) bool {
			con, ok := m.(*Constraint)
			if !ok || con.Contype != ConstrType_CONSTR_NOTNULL || con.Keys == nil && s.Newer == (Newer{}) {
				return true
			}
			require.Nil(t, con.RawExpr)
			column := ""
			if len(con.Keys) > 0 {
				column = con.Keys[0].GetString_().GetSval()
			}
			if s.Newer.Since > 0 {
				require.Equal(t, "not", strings.ToLower(sql[s.Newer.At:s.Newer.At+3]))
				require.NoError(t, s.Refused(s.Newer.Since))
				var syntax *SyntaxError
				require.ErrorAs(t, s.Refused(s.Newer.Since-1), &syntax)
				require.Equal(t, s.Newer.At, syntax.Offset)
			}
			list = append(list, fmt.Sprintf("%s|%s|not valid %v|no inherit %v|%d", con.Conname, column, con.SkipValidation, con.IsNoInherit, s.Newer.Since))
			return true
		})
	}
	for _, err := range errs {
		list = append(list, err.Error())
	}
	return list
}

func TestNotNullConstraints(t *testing.T) {
	for sql, want := range map[string][]string{
		"ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID":                                   {"c|a|not valid true|no inherit false|18"},
		"alter table t add not null a no inherit":                                               {"|a|not valid false|no inherit true|18"},
		"SELECT 1; ALTER TABLE t ADD NOT /* why */ NULL \"A\"\"b\", ADD c int NOT NULL; SELECT": {"|A\"b|not valid false|no inherit false|18", "||not valid false|no inherit false|18"},
		"ALTER TABLE ONLY s.t ADD CONSTRAINT x NOT NULL Ab, ADD CONSTRAINT y NOT NULL c":        {"x|ab|not valid false|no inherit false|18", "y|c|not valid false|no inherit false|18"},
		"CREATE TABLE t (a int NOT NULL, CONSTRAINT c NOT NULL a, b int)":                       {"||not valid false|no inherit false|18", "c|a|not valid false|no inherit false|18"},
		"ALTER DOMAIN d ADD CONSTRAINT c NOT NULL":                                              {"c||not valid false|no inherit false|17"},
		"ALTER TABLE t ADD NOT NULL a; ALTER TABLE t DROP CONSTRIANT c": {
			"|a|not valid false|no inherit false|18", `syntax error at or near "c"`},
		// Not these: what follows has no name of a column, or the mistake is another.
		"ALTER TABLE t ADD NOT NULL":              {`syntax error at or near "NOT"`},
		"ALTER TABLE t ADD NOT NULL U&\"a\"":      {`syntax error at or near "NOT"`},
		"ALTER TABLE t ADD CHECK (a NOT NULL b)":  {`syntax error at or near "NOT"`},
		"ALTER TABLE t ADD NOT NULL a NOT VALIDE": {`syntax error at or near "VALIDE"`},
		"CREATE FUNCTION f(a int, NOT NULL b)":    {`syntax error at or near "NOT"`},
		"SELECT a, NOT NULL b":                    nil,
	} {
		require.Equal(t, want, notNulls(t, sql), sql)
	}
}
