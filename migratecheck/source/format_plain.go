package source

import (
	"cmp"
	"path"
	"strings"
)

// plainFormat reads numbered SQL files as if each were given to psql -f: every statement commits by itself unless the
// file says BEGIN.
func plainFormat() Format {
	return Format{
		Name:  "plain",
		About: "numbered .sql files without annotations, run by psql; N_name.down.sql is the way down",
		ext:   ".sql",
		claim: func(name, _ string) claim {
			if _, ok := plainName(name); ok {
				return claimDigits
			}
			return claimNone
		},
		name: plainName,
		read: readPsql,
		compare: func(a, b *Migration) int {
			return naturalCompare(path.Base(a.File), path.Base(b.File))
		},
	}
}

// plainName takes every .sql file whose name begins with a digit, or with one letter and a digit.
func plainName(name string) (named, bool) {
	base, ok := strings.CutSuffix(name, ".sql")
	if !ok || base == "" {
		return named{}, false
	}
	i := 0
	if c := base[0] | 0x20; c >= 'a' && c <= 'z' {
		i = 1
	}
	number := digits(base[i:])
	if number == "" {
		return named{}, false
	}
	base, down := strings.CutSuffix(base, ".down")
	base = strings.TrimSuffix(base, ".up")
	title := strings.TrimLeft(base[i+len(number):], "_-. ")
	return named{version: number, title: title, down: down}, true
}

// naturalCompare compares names with the runs of digits in them as numbers.
func naturalCompare(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x != "" && y != "" {
			if c := compareNumbers(x, y); c != 0 {
				return c
			}
			a, b = a[len(x):], b[len(y):]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}
