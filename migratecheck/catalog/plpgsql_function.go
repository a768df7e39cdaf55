package catalog

import (
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// evalFunction evaluates calls of the server's functions that bodies use to build statements and to look into the
// catalog.
func (r *codeRunner) evalFunction(n *pgast.FuncCall, row *plScope) plValue {
	schema, name := splitName(n.Funcname)
	if schema != "" && schema != "pg_catalog" {
		return plValue{}
	}
	args := make([]plValue, len(n.Args))
	for i, arg := range n.Args {
		args[i] = r.evalIn(arg, row)
	}
	text := func(i int) (string, bool) {
		if i >= len(args) {
			return "", false
		}
		return args[i].text()
	}
	switch name {
	case "format":
		return evalFormat(args, n.FuncVariadic)
	case "concat", "concat_ws":
		return evalConcat(args, name == "concat_ws")
	case "quote_ident":
		if s, ok := text(0); ok {
			return plText(quoteIdent(s))
		}
	case "quote_literal":
		if s, ok := text(0); ok {
			return plText(quoteLiteral(s))
		}
	case "quote_nullable":
		if s, ok := text(0); ok {
			return plText(quoteLiteral(s))
		}
		if len(args) > 0 && args[0].kind == plNullKind {
			return plText("NULL")
		}
	case "lower", "upper", "btrim", "ltrim", "rtrim", "trim":
		if s, ok := text(0); ok && len(args) == 1 {
			return plText(map[string]func(string) string{
				"lower": strings.ToLower, "upper": strings.ToUpper, "btrim": strings.TrimSpace, "trim": strings.TrimSpace,
				"ltrim": func(s string) string { return strings.TrimLeft(s, " ") }, "rtrim": func(s string) string { return strings.TrimRight(s, " ") },
			}[name](s))
		}
	case "replace":
		s, ok1 := text(0)
		from, ok2 := text(1)
		to, ok3 := text(2)
		if ok1 && ok2 && ok3 && len(s)+strings.Count(s, from)*max(0, len(to)-len(from)) <= maxText {
			return plText(strings.ReplaceAll(s, from, to))
		}
	case "length", "char_length":
		if s, ok := text(0); ok {
			return plInt(int64(len([]rune(s))))
		}
	case "substr", "substring", "left", "right":
		return evalSubstring(name, args)
	case "string_to_array":
		s, ok1 := text(0)
		sep, ok2 := text(1)
		if ok1 && ok2 && sep != "" && strings.Count(s, sep) < maxItems {
			return plTexts(strings.Split(s, sep))
		}
	case "array_length", "cardinality":
		if len(args) > 0 && args[0].kind == plArray {
			if len(args[0].list) == 0 && name == "array_length" {
				return plNull()
			}
			return plInt(int64(len(args[0].list)))
		}
	case "array_append":
		if len(args) == 2 && args[0].kind == plArray && args[1].known() {
			return concatenate(args[0], args[1])
		}
	case "current_database":
		return plText(databaseName)
	case "current_schema":
		return r.currentSchemaName()
	case "current_setting":
		if s, ok := text(0); ok {
			switch s {
			case "server_version_num":
				return plText(strconv.Itoa(r.c.Version * 10000))
			case "search_path":
				if v := r.c.Setting(s); v != "" {
					return plText(v)
				}
				return plText(`"$user", public`)
			}
			if v := r.c.Setting(s); v != "" {
				return plText(v)
			}
		}
	case "to_regclass", "to_regtype", "to_regnamespace", "to_regproc", "to_regprocedure":
		return r.evalToReg(name, args)
	case "set_config":
		return plValue{}
	case "count", "bool_or", "bool_and", "max", "min", "array_agg", "string_agg":
		if row != nil && row.group != nil {
			return row.group(n, name)
		}
	}
	return plValue{}
}

// evalToReg is to_regclass and its like: NULL when there is no such object.
func (r *codeRunner) evalToReg(name string, args []plValue) plValue {
	if len(args) != 1 || args[0].kind != plString {
		return plValue{}
	}
	schema, object, ok := splitQualified(args[0].s)
	if !ok {
		return plValue{}
	}
	switch name {
	case "to_regclass":
		if rel := r.c.Relation(schema, object); rel != nil {
			return plValue{kind: plString, s: r.c.visibleName(rel), oid: rel.OID}
		}
		if rel := r.c.builtinRelation(schema, object); rel != nil {
			return plValue{kind: plString, s: rel.Name, oid: rel.OID}
		}
	case "to_regtype":
		if t, ok := r.c.lookupType(schema, object); ok {
			return plValue{kind: plString, s: r.c.typeText(t), oid: t.OID}
		}
	case "to_regnamespace":
		if s := r.c.SchemaNamed(object); s != nil {
			return plValue{kind: plString, s: s.Name, oid: s.OID}
		}
	case "to_regproc":
		if list := r.c.functionsNamed(schema, object); len(list) == 1 {
			return plValue{kind: plString, s: list[0].Name, oid: list[0].OID}
		} else if len(list) > 1 {
			return plNull()
		}
	default:
		return plValue{}
	}
	if r.c.Open {
		return plValue{}
	}
	return plNull()
}

func quoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

func evalConcat(args []plValue, separated bool) plValue {
	sep := ""
	if separated {
		s, ok := args[0].text()
		if !ok {
			return nullOrUnknown(args[0])
		}
		sep, args = s, args[1:]
	}
	var parts []string
	size := 0
	for _, v := range args {
		if v.kind == plNullKind {
			continue
		}
		s, ok := v.text()
		if !ok || v.kind == plBoolean {
			return plValue{}
		}
		if size += len(s) + len(sep); size > maxText {
			return plValue{}
		}
		parts = append(parts, s)
	}
	return plText(strings.Join(parts, sep))
}

func evalSubstring(name string, args []plValue) plValue {
	if len(args) < 2 || args[0].kind != plString || args[1].kind != plInteger {
		return plValue{}
	}
	s, n := []rune(args[0].s), int(args[1].i)
	clamp := func(i int) int { return max(0, min(i, len(s))) }
	switch name {
	case "left":
		if n < 0 {
			n = len(s) + n
		}
		return plText(string(s[:clamp(n)]))
	case "right":
		if n < 0 {
			n = len(s) + n
		}
		return plText(string(s[len(s)-clamp(n):]))
	}
	end := len(s)
	if len(args) > 2 {
		if args[2].kind != plInteger {
			return plValue{}
		}
		end = n - 1 + int(args[2].i)
	}
	start, end := clamp(n-1), clamp(end)
	if end < start {
		end = start
	}
	return plText(string(s[start:end]))
}

// evalFormat is format(): %s, %I, %L, %%, with n$ positions; widths are not used for SQL.
func evalFormat(args []plValue, variadic bool) plValue {
	if len(args) == 0 || args[0].kind != plString || variadic {
		return plValue{}
	}
	var b strings.Builder
	pattern, next := args[0].s, 1
	for b.Len() <= maxText {
		i := strings.IndexByte(pattern, '%')
		if i < 0 {
			b.WriteString(pattern)
			return plText(b.String())
		}
		b.WriteString(pattern[:i])
		pattern = pattern[i+1:]
		if pattern == "" {
			return plValue{}
		}
		if pattern[0] == '%' {
			b.WriteByte('%')
			pattern = pattern[1:]
			continue
		}
		at := next
		if digits := len(pattern) - len(strings.TrimLeft(pattern, "0123456789")); digits > 0 {
			if digits >= len(pattern) || pattern[digits] != '$' {
				return plValue{}
			}
			at, _ = strconv.Atoi(pattern[:digits])
			pattern = pattern[digits+1:]
		}
		if pattern == "" || at >= len(args) || at < 1 {
			return plValue{}
		}
		next = at + 1
		v := args[at]
		s, ok := v.text()
		if v.kind == plBoolean {
			s = map[bool]string{true: "t", false: "f"}[v.b]
		}
		switch {
		case !ok && v.kind != plNullKind:
			return plValue{}
		case pattern[0] == 's':
			b.WriteString(s)
		case pattern[0] == 'I' && ok:
			if v.oid != 0 && v.kind == plString {
				return plValue{} // a regclass is quoted already
			}
			b.WriteString(quoteIdent(s))
		case pattern[0] == 'L' && ok:
			b.WriteString(quoteLiteral(s))
		case pattern[0] == 'L':
			b.WriteString("NULL")
		default:
			return plValue{}
		}
		pattern = pattern[1:]
	}
	return plValue{}
}
