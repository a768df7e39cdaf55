package source

import (
	"cmp"
	"io/fs"
	"path"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// flywayFormat reads Flyway's SQL migrations (flyway/flyway 13.0.0: internal/resource/ResourceNameParser.java,
// api/MigrationVersion.java, PostgreSQLParser.java; manual "Migrations"): V1__x.sql, repeatable R__x.sql after all of
// them, undo U1__x.sql, baseline B1__x.sql. Each file is one transaction, or none when PostgreSQL does not allow one.
func flywayFormat() Format {
	return Format{
		Name:      "flyway",
		About:     "V1_2__name.sql, repeatable R__name.sql, undo U1_2__name.sql, baseline B1_2__name.sql",
		ext:       ".sql",
		recursive: true,
		claim: func(name, _ string) claim {
			if _, ok := flywayName(name); ok {
				return claimName
			}
			return claimNone
		},
		name: flywayName,
		read: readFlyway,
		compare: func(a, b *Migration) int {
			switch {
			case a.Repeat && b.Repeat:
				return cmp.Compare(a.Name, b.Name)
			case a.Repeat:
				return 1
			case b.Repeat:
				return -1
			}
			return flywayCompare(a.Version, b.Version)
		},
		finish: finishFlyway,
	}
}

func flywayName(name string) (named, bool) {
	base, ok := strings.CutSuffix(name, ".sql")
	if !ok || base == "" {
		return named{}, false
	}
	version, title, ok := strings.Cut(base[1:], "__")
	if !ok {
		return named{}, false
	}
	n := named{version: version, title: strings.ReplaceAll(title, "_", " ")}
	switch base[0] {
	case 'R':
		n.repeat = true
		return n, version == ""
	case 'V':
	case 'U':
		n.down = true
	case 'B':
		n.baseline = true
	default:
		return named{}, false
	}
	for part := range strings.FieldsFuncSeq(version, isVersionSeparator) {
		if digits(part) != part {
			return named{}, false
		}
	}
	return n, digits(version) != ""
}

func isVersionSeparator(r rune) bool { return r == '.' || r == '_' }

// flywayCompare compares part by part as numbers; a missing part is zero.
func flywayCompare(a, b string) int {
	x, y := strings.FieldsFunc(a, isVersionSeparator), strings.FieldsFunc(b, isVersionSeparator)
	for i := range max(len(x), len(y)) {
		p, q := "", ""
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if c := compareNumbers(p, q); c != 0 {
			return c
		}
	}
	return 0
}

func readFlyway(f *File) script {
	// Flyway reads the data of COPY … FROM stdin as psql does; it knows no backslash commands.
	out := readPsql(f)
	alone, together := 0, 0
	kept := out.up.Statements[:0]
	for _, s := range out.up.Statements {
		if i := strings.Index(s.SQL, "${"); i >= 0 {
			out.up.Gaps = append(out.up.Gaps, Gap{
				Pos: s.Position(i), Source: shorten(s.SQL), Reason: "Flyway placeholder: its value is in the configuration",
			})
			continue
		}
		if flywayAlone(s.SQL) {
			alone++
		} else {
			together++
		}
		kept = append(kept, s)
	}
	out.up.Statements = kept
	switch {
	case alone == 0:
		setTx(kept, 1)
	case together > 0:
		out.up.Gaps = append(out.up.Gaps, Gap{
			Pos: f.Position(f.body()), Refused: true,
			Reason: "Flyway refuses the file unless mixed is set: some of its statements cannot run in a transaction",
		})
	}
	return out
}

// flywayAlone says whether Flyway knows that a statement cannot run in a transaction (PostgreSQLParser.java,
// detectCanExecuteInTransaction). It does not know REINDEX … CONCURRENTLY.
func flywayAlone(sql string) bool {
	var words []string
	tokens := pgast.NewScanner(sql)
	for len(words) < 4 {
		t, ok := tokens.Next()
		if !ok {
			break
		}
		if t.Kind == pgast.KindWord {
			words = append(words, strings.ToUpper(sql[t.Start:t.End]))
		} else if !t.IsComment() && t.Kind != pgast.KindPunct {
			break
		}
	}
	s := strings.Join(words, " ") + " "
	for _, prefix := range []string{
		"CREATE DATABASE ", "DROP DATABASE ", "CREATE TABLESPACE ", "DROP TABLESPACE ", "CREATE SUBSCRIPTION ",
		"DROP SUBSCRIPTION ", "ALTER SYSTEM ", "CREATE INDEX CONCURRENTLY ", "CREATE UNIQUE INDEX CONCURRENTLY ",
		"DROP INDEX CONCURRENTLY ", "REINDEX SCHEMA ", "REINDEX DATABASE ", "REINDEX SYSTEM ", "REINDEX VERBOSE SCHEMA ",
		"REINDEX VERBOSE DATABASE ", "REINDEX VERBOSE SYSTEM ", "VACUUM ", "DISCARD ALL ",
	} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// finishFlyway reads the files' configurations and moves baselines that stand for files still there to Other.
func finishFlyway(dir *directory, set *Set) {
	configs := dir.extra(".conf")
	more, _ := dir.below(dir.path, dir.entries, ".conf")
	for _, name := range append(configs, more...) {
		data, err := fs.ReadFile(dir.fsys, name)
		if err != nil {
			continue
		}
		text := strings.ReplaceAll(strings.ReplaceAll(string(data), " ", ""), "\r", "")
		if !hasWholeLine(text, "executeInTransaction=false") {
			continue
		}
		for i := range set.Migrations {
			if m := &set.Migrations[i]; m.File+".conf" == name {
				setTx(m.Up.Statements, 0)
				setExplicitTx(m.Up.Statements, 0)
			}
		}
	}
	kept := set.Migrations[:0]
	for _, m := range set.Migrations {
		if m.baseline && hasUpTo(set.Migrations, m.Version) {
			set.Other = append(set.Other, m.File)
			continue
		}
		kept = append(kept, m)
	}
	set.Migrations = kept
}

// hasUpTo says whether a versioned migration that a baseline of this version stands for is there.
func hasUpTo(migrations []Migration, version string) bool {
	for i := range migrations {
		if m := &migrations[i]; !m.baseline && !m.Repeat && path.Base(m.File)[0] == 'V' && flywayCompare(m.Version, version) <= 0 {
			return true
		}
	}
	return false
}
