package source

import (
	"fmt"
	"strings"
)

// sqlMigrateFormat reads sql-migrate's files (rubenv/sql-migrate v1.8.1, sqlparse/sqlparse.go).
func sqlMigrateFormat() Format {
	return Format{
		Name:  "sql-migrate",
		About: "*.sql with -- +migrate Up",
		ext:   ".sql",
		claim: func(_, text string) claim {
			if hasLine(text, sqlMigrateMarker) {
				return claimOwn
			}
			return claimNone
		},
		name: func(name string) (named, bool) {
			base, ok := strings.CutSuffix(name, ".sql")
			number := digits(base)
			if number == "" {
				return named{version: base, title: base}, ok
			}
			return named{version: number, title: strings.TrimLeft(base[len(number):], "_-. ")}, ok
		},
		read: readSQLMigrate,
		compare: func(a, b *Migration) int {
			x, y := digits(a.Version), digits(b.Version)
			switch {
			case x != "" && y != "":
				if c := compareNumbers(x, y); c != 0 {
					return c
				}
			case x != "":
				return -1
			case y != "":
				return 1
			}
			return byFileName(a, b)
		},
	}
}

const sqlMigrateMarker = "-- +migrate "

// readSQLMigrate follows ParseMigration: lines that begin with "-- " are left out wherever they are, also in a string;
// a statement ends as goose's does.
func readSQLMigrate(f *File) script {
	out := script{downAt: -1}
	refuse := func(s *Script, at int, src, reason string) {
		if len(s.Gaps) == 0 || !s.Gaps[0].Refused {
			s.Gaps = append([]Gap{{
				Pos: f.Position(at), Refused: true, Source: shorten(src), Reason: "sql-migrate refuses the file: " + reason,
			}}, s.Gaps...)
		}
	}
	const maxLine = 1 << 20 // the buffer of its bufio.Scanner
	var to *Script
	noTxUp, noTxDown := false, false
	block := false
	buf := joiner{file: f}
	store := func() {
		if s, ok := buf.trimmed(); ok {
			to.Statements = append(to.Statements, s)
		}
		buf.reset()
	}
	unfinished := func() {
		if s, ok := buf.trimmed(); ok && to != nil {
			refuse(to, s.FileOffset(0), s.SQL, "the statement does not end in a semicolon")
			store()
		}
		buf.reset()
	}
	for at := f.body(); ; {
		l, next, ok := nextLine(f.Text, at)
		if !ok {
			break
		}
		at = next
		text := f.Text[l.start:l.end]
		if len(text) >= maxLine {
			refuse(&out.up, l.start, text[:80], fmt.Sprintf("a line of %d MiB or more", maxLine>>20))
		}
		command, isCommand := strings.CutPrefix(text, sqlMigrateMarker)
		// Behind a byte order mark the first line is no command.
		isCommand = isCommand && (l.start == 0 || l.start != f.body())
		if !isCommand && strings.HasPrefix(text, "-- ") {
			if to != nil && strings.HasPrefix(text, "-- +") && !block && lastWordEnds(text) {
				store()
			}
			continue
		}
		if isCommand {
			words := strings.Fields(command)
			if len(words) == 0 {
				refuse(&out.up, l.start, text, "empty command")
				continue
			}
			noTx := false
			for _, w := range words[1:] {
				noTx = noTx || w == "notransaction"
			}
			switch words[0] {
			case "Up":
				unfinished()
				to = &out.up
				noTxUp = noTxUp || noTx
			case "Down":
				unfinished()
				to = &out.down
				if !out.hasDown {
					out.hasDown, out.downAt = true, l.start
				}
				noTxDown = noTxDown || noTx
			case "StatementBegin":
				block = to != nil
			case "StatementEnd":
				if to != nil && block {
					block = false
					store()
				}
			}
			continue
		}
		if to == nil {
			if t := strings.TrimSpace(text); t != "" && !strings.HasPrefix(t, "--") {
				out.up.Gaps = append(out.up.Gaps, Gap{
					Pos: f.Position(l.start), Reason: "sql-migrate leaves out what stands before Up", Source: shorten(text),
				})
			}
			continue
		}
		buf.add(l)
		if !block && lastWordEnds(text) {
			store()
		}
	}
	switch {
	case to == nil:
		refuse(&out.up, 0, "", "there is no Up or Down annotation")
	case block:
		refuse(to, len(f.Text), "", "StatementBegin without StatementEnd")
		store()
	default:
		unfinished()
	}
	last := 1
	if noTxUp {
		last = setExplicitTx(out.up.Statements, 0)
	} else {
		setTx(out.up.Statements, last)
	}
	if noTxDown {
		setExplicitTx(out.down.Statements, last)
	} else {
		setTx(out.down.Statements, last+1)
	}
	return out
}

// hasLine says whether a line of the text begins with the prefix.
func hasLine(text, prefix string) bool {
	text = strings.TrimPrefix(text, bom)
	for at := 0; ; {
		i := strings.Index(text[at:], prefix)
		if i < 0 {
			return false
		}
		if i += at; i == 0 || text[i-1] == '\n' {
			return true
		}
		at = i + len(prefix)
	}
}
