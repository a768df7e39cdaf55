package source

import (
	"path"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// atlasFormat reads atlas's versioned migrations (ariga/atlas, sql/migrate/dir.go and lex.go; manual "Versioned
// Workflow", "Transaction Configuration": one transaction a file unless txmode says otherwise).
func atlasFormat() Format {
	return Format{
		Name:  "atlas",
		About: "VERSION_name.sql beside atlas.sum, or with -- atlas: directives",
		ext:   ".sql",
		claim: func(name, text string) claim {
			if len(atlasDirectives(strings.TrimPrefix(text, bom))) > 0 {
				return claimName
			}
			return claimNone
		},
		name: func(name string) (named, bool) {
			base, ok := strings.CutSuffix(name, ".sql")
			version, title, _ := strings.Cut(base, "_")
			return named{version: version, title: title}, ok && version != ""
		},
		read:    readAtlas,
		compare: byFileName,
		finish:  dropCheckpoints,
	}
}

// atlasDirective is one "-- atlas:name value" line.
type atlasDirective struct{ name, value string }

// atlasDirectives are those of the file: comment lines at its top that an empty line divides from the rest. With CRLF
// that line is not seen as empty, and atlas ignores them (dir.go, comments).
func atlasDirectives(text string) []atlasDirective {
	var out []atlasDirective
	for strings.HasPrefix(text, "--") || strings.HasPrefix(text, "#") {
		var l string
		l, text, _ = strings.Cut(text, "\n")
		if i := strings.Index(l, "atlas:"); i >= 0 {
			name, value, _ := strings.Cut(strings.TrimSpace(l[i+len("atlas:"):]), " ")
			out = append(out, atlasDirective{name, strings.TrimSpace(value)})
		}
	}
	if text != "" && !strings.HasPrefix(strings.TrimLeft(text, " \t"), "\n") {
		// A delimiter is read from the first line, whatever follows it (lex.go, init).
		if len(out) > 0 && out[0].name == "delimiter" {
			return out[:1]
		}
		return nil
	}
	return out
}

func readAtlas(f *File) script {
	out := script{downAt: -1}
	out.up.Gaps = bomGap(f, "atlas")
	tx := 1
	delimiter := ""
	body := f.body()
	for _, d := range atlasDirectives(f.Text[body:]) {
		switch d.name {
		case "txmode":
			if d.value == "none" {
				tx = 0
			}
		case "delimiter":
			delimiter = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t").Replace(d.value)
		case "checkpoint":
			out.baseline = true
		case "txtar", "import":
			out.up.Gaps = append(out.up.Gaps, Gap{
				Pos: f.Position(body), Reason: "atlas:" + d.name + " directive: the file is put together from others",
			})
		}
	}
	if delimiter != "" {
		out.up.Statements = splitDelimiter(f, delimiter)
	} else {
		spans := pgast.Split(f.Text[body:])
		out.up.Statements = make([]Statement, 0, len(spans))
		for _, span := range spans {
			out.up.Statements = append(out.up.Statements, newStatement(f, body+span.Offset, body+span.Offset+len(span.Text)))
		}
	}
	if tx == 0 {
		setExplicitTx(out.up.Statements, 0)
	} else {
		setTx(out.up.Statements, tx)
	}
	return out
}

// splitDelimiter cuts at a delimiter of the file's own, outside quotes.
func splitDelimiter(f *File, delimiter string) []Statement {
	var out []Statement
	_, at, _ := nextLine(f.Text, 0) // the directive is the first line
	start := at
	store := func(end int) {
		if a, b := trimRange(f.Text, start, end); a < b && len(pgast.Split(f.Text[a:b])) > 0 {
			out = append(out, newStatement(f, a, b))
		}
	}
	tokens := pgast.NewScanner(f.Text[at:])
	quoted := [2]int{} // the quoted text last read; delimiters in it do not count
	for i := at; i < len(f.Text); {
		j := strings.Index(f.Text[i:], delimiter)
		if j < 0 {
			break
		}
		j += i
		for quoted[1] <= j {
			t, ok := tokens.Next()
			if !ok {
				quoted = [2]int{len(f.Text), len(f.Text)}
				break
			}
			switch t.Kind {
			case pgast.KindString, pgast.KindDollarString, pgast.KindQuotedIdent:
				quoted = [2]int{at + t.Start, at + t.End}
			}
		}
		if j > quoted[0] && j < quoted[1] {
			i = quoted[1]
			continue
		}
		store(j)
		i = j + len(delimiter)
		start = i
	}
	store(len(f.Text))
	return out
}

// dropCheckpoints moves checkpoints that do not begin the history to Other: atlas runs a checkpoint only on an empty
// database, instead of the files before it.
func dropCheckpoints(_ *directory, set *Set) {
	first := ""
	for _, m := range set.Migrations {
		if name := path.Base(m.File); first == "" || name < first {
			first = name
		}
	}
	kept := set.Migrations[:0]
	for _, m := range set.Migrations {
		if m.baseline && path.Base(m.File) != first {
			set.Other = append(set.Other, m.File)
			continue
		}
		kept = append(kept, m)
	}
	set.Migrations = kept
}
