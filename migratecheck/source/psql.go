package source

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// psqlReader reads a file as psql -f does: statement by statement, with backslash commands and the data of
// COPY … FROM stdin between them (manual, psql, "Meta-Commands" and section "COPY").
type psqlReader struct {
	file *File
	// text is the file's with what is not SQL overwritten by spaces, so that offsets stay the same; nil while nothing
	// has been overwritten.
	text []byte
	gaps []Gap
	// set are the variables that the file itself sets.
	set    map[string]bool
	anySet bool // \gset sets variables named after columns
	end    int  // where \q stops reading
}

// readPsql returns the statements, each with Tx 0 except between BEGIN and COMMIT.
func readPsql(f *File) script {
	r := psqlReader{file: f, end: len(f.Text)}
	body := f.body()
	if strings.IndexByte(f.Text, '\\') >= 0 || containsFold(f.Text, "stdin") {
		r.mark(body)
	}
	sql := f.Text
	if r.text != nil {
		sql = string(r.text)
	}
	spans := pgast.Split(sql[body:r.end])
	out := script{downAt: -1}
	if r.text != nil {
		out.masked = sql
	}
	out.up.Gaps = r.gaps
	out.up.Statements = make([]Statement, 0, len(spans))
	for _, span := range spans {
		start := body + span.Offset
		s := Statement{SQL: span.Text, file: f, at: start}
		if name := r.variable(span.Text); name != "" {
			out.up.Gaps = append(out.up.Gaps, Gap{
				Pos: f.Position(start), Source: shorten(span.Text), Reason: "psql puts in the variable " + name,
			})
			continue
		}
		out.up.Statements = append(out.up.Statements, s)
	}
	setExplicitTx(out.up.Statements, 0)
	return out
}

// mark overwrites the backslash commands and COPY data from byte at on.
func (r *psqlReader) mark(at int) {
	text := r.file.Text
	for at < r.end {
		next, done := r.markOne(at, pgast.NewScanner(text[at:]))
		if done {
			return
		}
		at = next
	}
}

// markOne reads tokens up to the first backslash command or the end of a COPY, and says where to go on.
func (r *psqlReader) markOne(at int, tokens *pgast.Scanner) (next int, done bool) {
	text := r.file.Text
	words := 0         // in the statement so far
	isCopy := false    // it begins with COPY
	var from, in bool  // the last two words are FROM STDIN
	fromStdin := false // it has FROM STDIN
	for {
		t, ok := tokens.Next()
		if !ok {
			return r.end, true
		}
		s := text[at+t.Start : at+t.End]
		switch {
		case t.Kind == pgast.KindInvalid && s == `\`:
			return r.command(at + t.Start), false
		case t.Kind == pgast.KindPunct && s == ";":
			if isCopy && fromStdin {
				return r.data(at + t.End), false
			}
			words, isCopy, fromStdin = 0, false, false
			continue
		case t.Kind == pgast.KindWord:
			if words == 0 {
				isCopy = strings.EqualFold(s, "copy")
			}
			in = from && strings.EqualFold(s, "stdin")
			fromStdin = fromStdin || in
			from = strings.EqualFold(s, "from")
			words++
		case !t.IsComment():
			from = false
			words++
		}
	}
}

// command reads one backslash command, whose backslash is at byte at, and returns where its line ends.
func (r *psqlReader) command(at int) int {
	text := r.file.Text
	l, _, _ := nextLine(text, at)
	end := l.end
	// Two backslashes end the command, and SQL follows (manual, psql, "Meta-Commands").
	if i := strings.Index(text[at+1:end], `\\`); i >= 0 {
		end = at + 1 + i + 2
	}
	line := text[at+1 : end]
	name := line
	if i := strings.IndexAny(line, " \t;'\"\\"); i >= 0 {
		name = line[:i]
	}
	args := strings.TrimSpace(line[len(name):])
	reason := ""
	sends := false
	switch name {
	case "g", "gx", "gdesc", "crosstabview", "watch":
		sends = true
	case "gset":
		sends, r.anySet = true, true
		reason = "psql stores the result of the query in variables"
	case "gexec":
		sends = true
		reason = "psql runs the result of the query as statements"
	case "i", "ir", "include", "include_relative":
		reason = "psql reads the file " + shorten(args)
	case "c", "connect":
		// At its beginning a file says where it belongs, and pg_dump --create connects to the database that it has just made.
		before := text[:at]
		if r.text != nil { // without the commands
			before = string(r.text[:at])
		}
		if _, begun := pgast.NewScanner(before).Next(); begun && args != "" && !containsFold(text[:at], "CREATE DATABASE") {
			reason = "psql connects to another database, or as another role; what follows is read as if it did not"
		}
	case "if", "elif", "else", "endif":
		reason = "psql runs what follows or not, as its condition says; it is read as if it ran"
	case "copy":
		reason = `\copy moves rows from or to a file of the client`
		if containsFold(args, "stdin") {
			r.blank(at, end)
			return r.data(end)
		}
	case "!", "o", "out", "w", "write":
		reason = "psql runs a command or writes a file"
	case "set", "prompt", "getenv":
		if r.set == nil {
			r.set = map[string]bool{}
		}
		fields := strings.Fields(args)
		switch {
		case name == "prompt" && len(fields) > 0:
			r.set[fields[len(fields)-1]] = true
		case len(fields) > 0:
			r.set[fields[0]] = true
		}
	case "q", "quit":
		r.end = at
	}
	if reason != "" {
		r.gaps = append(r.gaps, Gap{Pos: r.file.Position(at), Reason: reason, Source: shorten(text[at:end])})
	}
	r.blank(at, end)
	if sends {
		r.text[at] = ';'
	}
	return end
}

// data overwrites what follows a COPY … FROM stdin, up to and with the line that is a backslash and a dot. at is just
// behind the semicolon.
func (r *psqlReader) data(at int) int {
	text := r.file.Text
	_, start, _ := nextLine(text, at) // the data begin on the next line
	for next := start; ; {
		l, after, ok := nextLine(text, next)
		if !ok {
			break
		}
		next = after
		if text[l.start:l.end] == `\.` {
			r.blank(start, next)
			return next
		}
	}
	// psql reads data to the end of the file.
	r.blank(start, len(text))
	return len(text)
}

func (r *psqlReader) blank(start, end int) {
	if r.text == nil {
		r.text = []byte(r.file.Text)
	}
	for i := start; i < end; i++ {
		if r.text[i] != '\n' {
			r.text[i] = ' '
		}
	}
}

// variable names the variable of the file's own \set commands that a statement uses as :name, :'name' or :"name".
func (r *psqlReader) variable(sql string) string {
	if len(r.set) == 0 && !r.anySet || strings.IndexByte(sql, ':') < 0 {
		return ""
	}
	tokens := pgast.NewScanner(sql)
	colon, before := -1, -1
	for {
		t, ok := tokens.Next()
		if !ok {
			return ""
		}
		s := sql[t.Start:t.End]
		if t.Start == colon && t.Kind != pgast.KindNumber {
			name := strings.Trim(s, `'"`)
			// In a[x:y] the colon follows a word at once.
			if r.set[name] || r.anySet && before < colon-1 {
				return name
			}
		}
		if s == ":" {
			colon = t.End
		} else {
			before = t.End
		}
	}
}

// setExplicitTx numbers the transactions that a file opens and closes itself, from the number after last on, and
// returns the last one used.
func setExplicitTx(statements []Statement, last int) int {
	tx := 0
	for i := range statements {
		s := &statements[i]
		opens, closes := transactionVerb(s.SQL)
		if opens && tx == 0 {
			last++
			tx = last
		}
		s.Tx = tx
		if closes {
			tx = 0
		}
	}
	return last
}

// transactionVerb says whether a text is the beginning or the end of a transaction (manual, BEGIN, START TRANSACTION,
// COMMIT, END, ROLLBACK, ABORT). ROLLBACK TO, COMMIT PREPARED and a PL/pgSQL block are neither.
func transactionVerb(sql string) (opens, closes bool) {
	verb, rest := firstWord(sql)
	next, tail := firstWord(rest)
	bare := next == "" && strings.Trim(rest, "; \t\r\n") == ""
	switch verb {
	case "begin":
		return bare || next == "work" || next == "transaction" || next == "isolation" || next == "read" ||
			next == "deferrable" || next == "not", false
	case "start":
		return next == "transaction", false
	case "commit", "end", "rollback", "abort":
		if next == "work" || next == "transaction" {
			next, _ = firstWord(tail)
			bare = next == ""
		}
		return false, bare || next == "and"
	case "prepare":
		return false, next == "transaction"
	}
	return false, false
}

// firstWord is the lower-case first word of s when it is plain letters, and what follows it.
func firstWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t\r\n\f\v")
	i := 0
	for i < len(s) && (s[i]|0x20)-'a' < 26 {
		i++
	}
	if i > len("transaction") {
		return "", ""
	}
	return strings.ToLower(s[:i]), s[i:]
}

// containsFold says whether s contains a lower-case ASCII word in any case.
func containsFold(s, word string) bool {
	lower, upper := word[0], word[0]-'a'+'A'
	for i := 0; i+len(word) <= len(s); i++ {
		if c := s[i]; (c == lower || c == upper) && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}
