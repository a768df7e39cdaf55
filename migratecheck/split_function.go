package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// renameFunctionHelp is a change of a function's name over releases: one of the old name calls it meanwhile. (One with the same body would
// do as well, but what uses the function, a view or a default, keeps to the renamed one.)
func (s *Step) renameFunctionHelp(old *catalog.Func) string {
	was, is := sqlNameOf(s.Before.NameOf(old.OID)), sqlNameOf(s.After.NameOf(old.OID))
	var params, types, call []string
	const beside = "Create the new one beside it, ship code that calls that, and drop the old one a release later."
	returns, from := s.Before.FormatType(old.Returns), ""
	if old.Assumed || old.Kind != catalog.Function || returns == "record" || strings.HasPrefix(returns, "any") {
		return beside // what its call gives is not written in its head alone
	}
	for i, a := range old.Args {
		typ := s.Before.FormatType(a.Type)
		if a.Mode != 'i' || strings.HasPrefix(typ, "any") {
			return beside
		}
		param := typ
		if a.Name != "" {
			param = quoteIdent(a.Name) + " " + typ
		}
		if a.Default != nil {
			param += " DEFAULT " + a.Default.SQL
		}
		params, types, call = append(params, param), append(types, typ), append(call, fmt.Sprintf("$%d", i+1))
	}
	list := strings.Join(types, ", ")
	rename := fmt.Sprintf("ALTER FUNCTION %s(%s) RENAME TO %s;", was, list, quoteIdent(s.After.NameOf(old.OID).Name))
	if before, after := s.Before.NameOf(old.OID).Schema, s.After.NameOf(old.OID).Schema; before != after {
		rename = fmt.Sprintf("ALTER FUNCTION %s(%s) SET SCHEMA %s;", was, list, quoteIdent(after))
	}
	if old.ReturnsSet {
		returns, from = "SETOF "+returns, "* FROM "
	}
	volatility := map[catalog.Volatility]string{catalog.Immutable: " IMMUTABLE", catalog.Stable: " STABLE"}[old.Volatility]
	if old.Strict {
		volatility += " STRICT"
	}
	return fmt.Sprintf("Keep the name. If it must change, split it over releases:\nrelease 1, both names work, in one transaction:\n%s\n"+
		"CREATE FUNCTION %s(%s) RETURNS %s LANGUAGE sql%s AS $$ SELECT %s%s(%s) $$;\n"+
		"release 2: ship code that calls %s only\nrelease 3, when no older code runs:\nDROP FUNCTION %s(%s);",
		rename, was, strings.Join(params, ", "), returns, volatility, from, is, strings.Join(call, ", "), is, was, list)
}
