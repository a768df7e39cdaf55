package migratecheck

import (
	"strconv"
	"strings"
)

// typeChange is how badly code written for one type fares with the other, types as format_type prints them: 0 when it
// cannot tell, Warning when it fails for new values only, Error otherwise.
func typeChange(from, to string) Severity {
	fb, _ := splitType(from)
	tb, _ := splitType(to)
	switch {
	case from == to:
		return 0
	case strings.HasSuffix(from, "[]") != strings.HasSuffix(to, "[]"):
		return Error
	case isText(fb) && isText(tb) && !narrows(from, to):
		return 0
	case fb == tb && (fb == "numeric" || fb == "bit varying" || isTemporal(fb)) && !narrows(from, to):
		return 0
	case fb == "citext" && isText(tb) || isText(fb) && tb == "citext":
		return Warning // comparisons change their meaning
	case integerRank(fb) > 0 && integerRank(tb) > integerRank(fb):
		return Warning // only values beyond the old range hurt code that scans an int32
	case fb == "json" && tb == "jsonb":
		return Warning
	case fb == "timestamp without time zone" && tb == "timestamp with time zone", tb == "timestamp without time zone" && fb == "timestamp with time zone":
		return Warning // the driver returns another zone
	case fb == "real" && tb == "double precision":
		return 0
	}
	return Error
}

// narrows reports whether values of from can be too long, too large or too precise for to.
func narrows(from, to string) bool {
	fb, fm := splitType(from)
	tb, tm := splitType(to)
	switch {
	case isText(fb) && isText(tb):
		return len(tm) > 0 && (len(fm) == 0 || tm[0] < fm[0])
	case integerRank(fb) > 0 && integerRank(tb) > 0:
		return integerRank(tb) < integerRank(fb)
	case fb == "double precision" && tb == "real":
		return true
	case fb == "numeric" && tb == "numeric":
		if len(tm) == 0 {
			return false
		}
		if len(fm) == 0 {
			return true
		}
		fs, ts := scale(fm), scale(tm)
		return ts < fs || tm[0]-ts < fm[0]-fs
	case (fb == "numeric" || fb == "double precision" || fb == "real") && integerRank(tb) > 0:
		return true
	case fb == tb && isTemporal(fb):
		return len(tm) > 0 && (len(fm) == 0 || tm[0] < fm[0])
	case (fb == "timestamp without time zone" || fb == "timestamp with time zone") && tb == "date":
		return true
	case fb == "bit varying" && tb == "bit varying", fb == "bit" && tb == "bit":
		return len(tm) > 0 && (len(fm) == 0 || tm[0] < fm[0])
	}
	return false
}

// splitType takes numeric(10,2) apart: base type and modifiers. An array is its element's base with [] behind.
func splitType(t string) (base string, mods []int) {
	open, end := strings.IndexByte(t, '('), strings.IndexByte(t, ')')
	if open < 0 || end < open {
		return t, nil
	}
	for _, m := range strings.Split(t[open+1:end], ",") {
		n, err := strconv.Atoi(strings.TrimSpace(m))
		if err != nil {
			return t, nil
		}
		mods = append(mods, n)
	}
	return t[:open] + t[end+1:], mods
}

func scale(mods []int) int {
	if len(mods) > 1 {
		return mods[1]
	}
	return 0
}

func isText(base string) bool {
	switch strings.TrimSuffix(base, "[]") {
	case "text", "character varying", "character":
		return true
	}
	return false
}

func isTemporal(base string) bool {
	return strings.HasPrefix(base, "timestamp") || strings.HasPrefix(base, "time ") || base == "interval"
}

func integerRank(base string) int {
	switch base {
	case "smallint":
		return 1
	case "integer":
		return 2
	case "bigint":
		return 3
	}
	return 0
}
