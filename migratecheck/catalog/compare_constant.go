package catalog

import (
	"cmp"
	"encoding/json"
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// literal is a constant in SQL.
type literal struct {
	text string
	typ  string // as castName prints it, "" when not known
	kind byte   // what it is written as: 's'tring, 'n'umber, 'b'oolean, bits ('x')
}

func constantKind(k *pgast.A_Const) byte {
	switch k.Val.(type) {
	case *pgast.A_Const_Ival, *pgast.A_Const_Fval:
		return 'n'
	case *pgast.A_Const_Boolval:
		return 'b'
	case *pgast.A_Const_Bsval:
		return 'x'
	}
	return 's'
}

// differs reports whether two literals certainly are not the same value. The server prints those of many types otherwise
// than they were written; where reading them takes more than is known here, the answer is no.
func (k literal) differs(l literal) bool {
	if k.text == l.text {
		return false
	}
	typ := cmp.Or(k.typ, l.typ)
	if k.kind == 'b' || l.kind == 'b' {
		typ = "bool"
	} else if typ == "" && (k.kind == 'n' || l.kind == 'n') {
		typ = "numeric"
	}
	a, b := strings.TrimSpace(k.text), strings.TrimSpace(l.text)
	if strings.HasSuffix(typ, "[]") {
		switch strings.TrimSuffix(typ, "[]") {
		case "text", "varchar", "name", "citext", "int2", "int4", "int8", "uuid":
			plain := strings.NewReplacer(" ", "", "\t", "", "\n", "", `"`, "")
			return !strings.EqualFold(plain.Replace(a), plain.Replace(b))
		}
		return false
	}
	switch typ {
	case "":
		if readDate.MatchString(a) && readDate.MatchString(b) {
			return unlike(a, b, date)
		}
		return true
	case "text", "varchar", "name", "citext", "json", "bpchar", "char", "regclass", "regproc", "xml":
		return strings.TrimRight(k.text, " ") != strings.TrimRight(l.text, " ")
	case "bool":
		return unlike(a, b, truth)
	case "int2", "int4", "int8", "numeric", "oid":
		return unlike(a, b, rational)
	case "float4", "float8":
		return unlike(a, b, func(s string) (float64, bool) { f, err := strconv.ParseFloat(s, 64); return f, err == nil })
	case "date":
		return unlike(a, b, date)
	case "timestamp", "timestamptz":
		x, okX := date(a)
		y, okY := date(b)
		return okX && okY && x.Sub(y).Abs() > 48*time.Hour // what time zone is written and printed is not looked at
	case "interval":
		return unlike(a, b, interval)
	case "time":
		return unlike(a, b, func(s string) (time.Duration, bool) { return clock(s) })
	case "uuid":
		return unlike(a, b, func(s string) (string, bool) {
			return strings.ToLower(strings.NewReplacer("-", "", "{", "", "}", "").Replace(s)), uuidLiteral(s)
		})
	case "jsonb":
		return unlike(a, b, func(s string) (canonical string, ok bool) {
			var v any
			if json.Unmarshal([]byte(s), &v) != nil {
				return "", false
			}
			text, err := json.Marshal(v) // sorts the keys
			return string(text), err == nil
		})
	}
	return false
}

// unlike reports whether both texts can be read and have other values.
func unlike[T any](a, b string, read func(string) (T, bool)) bool {
	x, okX := read(a)
	y, okY := read(b)
	return okX && okY && !reflect.DeepEqual(x, y)
}

// truth reads a boolean (parse_bool_with_len).
func truth(s string) (value, ok bool) {
	s = strings.ToLower(s)
	return s == "1" || s == "on" || strings.HasPrefix(s, "t") || strings.HasPrefix(s, "y"), boolLiteral(s)
}

func rational(s string) (string, bool) {
	if newerNumber.MatchString(s) || len(s) > 100 {
		return "", false
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(strings.Trim(exponent, "+-")) > 3 {
		return "", false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return "", false
	}
	return r.RatString(), true
}

var readDate = regexp.MustCompile(`^(\d{4})-(\d\d?)-(\d\d?)(?:[ T]|$)`)

// date reads the day of a date or timestamp that is written as ISO 8601 has it.
func date(s string) (time.Time, bool) {
	m := readDate.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	number := func(i int) int { n, _ := strconv.Atoi(m[i]); return n }
	return time.Date(number(1), time.Month(number(2)), number(3), 0, 0, 0, 0, time.UTC), true
}

var readClock = regexp.MustCompile(`^(\d{1,4}):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?$`)

func clock(s string) (time.Duration, bool) {
	m := readClock.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	d, err := time.ParseDuration(m[1] + "h" + m[2] + "m" + cmp.Or(m[3], "0") + "s")
	return d, err == nil
}

// intervalValue is an interval as the server keeps it: months and days are of no fixed length.
type intervalValue struct {
	months, days int
	rest         time.Duration
}

// interval reads an interval of whole units, as in 1 year 2 mons 3 days 04:05:06 (interval_in).
func interval(s string) (v intervalValue, ok bool) {
	words := strings.Fields(s)
	for i := 0; i < len(words); i++ {
		if d, isClock := clock(words[i]); isClock {
			v.rest += d
			continue
		}
		n, err := strconv.Atoi(words[i])
		if err != nil || i+1 == len(words) || n > 1_000_000 || n < -1_000_000 {
			return v, false
		}
		i++
		switch unit := strings.TrimSuffix(strings.ToLower(words[i]), "s"); unit {
		case "year", "y", "yr":
			v.months += 12 * n
		case "month", "mon":
			v.months += n
		case "week", "w":
			v.days += 7 * n
		case "day", "d":
			v.days += n
		case "hour", "hr", "h":
			v.rest += time.Duration(n) * time.Hour
		case "minute", "min", "m":
			v.rest += time.Duration(n) * time.Minute
		case "second", "sec":
			v.rest += time.Duration(n) * time.Second
		default:
			return v, false
		}
	}
	return v, len(words) > 0
}
