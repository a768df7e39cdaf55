package source

import (
	"strings"
)

// dbmateFormat reads dbmate's files (amacneil/dbmate v2.35.0, pkg/dbmate/migration.go and db.go): each of the blocks
// "-- migrate:up" and "-- migrate:down" is one text, comment line included, in a transaction unless transaction:false.
func dbmateFormat() Format {
	return Format{
		Name:  "dbmate",
		About: "*.sql with -- migrate:up and -- migrate:down, each sent as one text",
		ext:   ".sql",
		claim: func(_, text string) claim {
			if _, ok := dbmateMark(text, 0, "up"); ok {
				return claimOwn
			}
			return claimNone
		},
		name: func(name string) (named, bool) { // ^(\d+).*\.sql$
			base, ok := strings.CutSuffix(name, ".sql")
			number := digits(base)
			return named{version: number, title: strings.TrimLeft(base[len(number):], "_-. ")}, ok && number != ""
		},
		read:    readDbmate,
		compare: byFileName, // FindMigrations sorts by file name, not by number
	}
}

// dbmateMark finds the next line that begins a block: ^--\s*migrate:up(\s*$|\s+\S+), i.e. "migrate:up" ends a word.
func dbmateMark(text string, from int, direction string) (at int, ok bool) {
	word := "migrate:" + direction
	for {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return 0, false
		}
		i += from
		from = i + len(word)
		if from < len(text) && strings.IndexByte("\t\n\f\r ", text[from]) < 0 {
			continue
		}
		// \s* may cross a line's end.
		start, cut := strings.CutSuffix(strings.TrimRight(text[:i], "\t\n\f\r "), "--")
		if cut && (start == "" || start[len(start)-1] == '\n') {
			return len(start), true
		}
	}
}

func readDbmate(f *File) script {
	out := script{downAt: -1}
	refuse := func(at int, reason string) {
		if len(out.up.Gaps) == 0 {
			out.up.Gaps = []Gap{{Pos: f.Position(at), Refused: true, Reason: "dbmate refuses the file: " + reason}}
		}
	}
	body := f.body()
	text := f.Text
	up, ok := dbmateMark(text[body:], 0, "up")
	if !ok {
		refuse(0, "there is no -- migrate:up line")
		return out
	}
	up += body
	if body > 0 {
		refuse(0, "the byte order mark makes the first line something other than a comment")
	}
	for at := body; at < up; {
		l, next, _ := nextLine(text[:up], at)
		if s := strings.TrimSpace(text[l.start:l.end]); s != "" && !strings.HasPrefix(s, "--") {
			refuse(l.start, "statements before -- migrate:up")
		}
		at = next
	}
	for section := 0; up >= 0; section++ {
		end, nextUp := len(text), -1
		if i, ok := dbmateMark(text, up+len("--migrate:up"), "up"); ok {
			end, nextUp = i, i
		}
		down, ok := dbmateMark(text[:end], up, "down")
		if !ok {
			refuse(up, "this -- migrate:up has no -- migrate:down")
			down = end
		} else {
			if !out.hasDown {
				out.hasDown, out.downAt = true, down
			}
			if i, again := dbmateMark(text[:end], down+len("--migrate:down"), "down"); again {
				refuse(i, "a second -- migrate:down")
			}
		}
		out.up.Statements = append(out.up.Statements, dbmateBlock(f, up, down, 2*section+1)...)
		out.down.Statements = append(out.down.Statements, dbmateBlock(f, down, end, 2*section+2)...)
		up = nextUp
	}
	return out
}

// dbmateBlock is a block with its comment line, whose options are words of the form name:value.
func dbmateBlock(f *File, start, end, tx int) []Statement {
	if start == end {
		return nil
	}
	s := newStatement(f, start, end)
	options, sql, _ := strings.Cut(s.SQL, "\n")
	for _, word := range strings.Fields(options) {
		if value, ok := strings.CutPrefix(word, "transaction:"); ok && !strings.Contains(value, ":") {
			if value == "false" {
				tx = 0
			}
		}
	}
	if strings.TrimSpace(sql) == "" {
		return nil
	}
	s.Tx = tx
	return []Statement{s}
}
