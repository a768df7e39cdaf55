package source

import (
	"fmt"
	"strings"
)

// note is an annotation of goose and brant.
type note int

const (
	noteNone note = iota
	noteUp
	noteDown
	noteBegin
	noteEnd
	noteNoTransaction
	noteEnvsubOn
	noteEnvsubOff
	noteBad // the tool refuses it
)

// noteNamed is the annotation of a name, in any case.
func noteNamed(s string) note {
	switch strings.ToLower(s) {
	case "up":
		return noteUp
	case "down":
		return noteDown
	case "statementbegin":
		return noteBegin
	case "statementend":
		return noteEnd
	case "no transaction":
		return noteNoTransaction
	case "envsub on":
		return noteEnvsubOn
	case "envsub off":
		return noteEnvsubOff
	}
	return noteBad
}

// gooseFamily is what distinguishes goose from its fork brant. Both read a file line by line
// (pressly/goose v3.29.0 internal/sqlparser/parser.go, brant v0.5.1 internal/sqlparser/parser.go).
type gooseFamily struct {
	tool string
	// note reads the annotation on a line; the reason says what is wrong with a noteBad.
	note func(line string) (n note, reason string)
}

// maxLine is the longest line either tool reads: the buffer of its bufio.Scanner.
const maxLine = 4 << 20

// phase is where in a file the reader is.
type phase int

const (
	beforeUp phase = iota
	inUp
	inDown
)

// gooseReader is the reader's state.
type gooseReader struct {
	family gooseFamily
	file   *File
	out    script
	buf    joiner
	phase  phase
	// block: between StatementBegin and StatementEnd. ended: a StatementEnd was read whose text is still to be stored:
	// always at once, except that after an empty block the tools take one more line and lose it.
	block, ended bool
	useTx        bool
	envsub       bool
	// unknown is the environment variable without which the statement in buf cannot be known.
	unknown string
}

// read reads one file in both directions.
func (family gooseFamily) read(f *File) script {
	r := gooseReader{family: family, file: f, buf: joiner{file: f}, useTx: true, out: script{downAt: -1}}
	at := f.body()
	if at > 0 {
		r.refuse(0, "", "the byte order mark makes the first line no comment, so that its annotation is not seen")
	}
	for {
		l, next, ok := nextLine(f.Text, at)
		if !ok {
			break
		}
		if l.end-l.start >= maxLine {
			r.refuse(l.start, f.Text[l.start:l.start+maxLine], fmt.Sprintf("a line of %d MiB or more", maxLine>>20))
		}
		r.line(l)
		at = next
	}
	r.end()
	if r.useTx {
		setTx(r.out.up.Statements, 1)
		setTx(r.out.down.Statements, 2)
	} else {
		setExplicitTx(r.out.down.Statements, setExplicitTx(r.out.up.Statements, 0))
	}
	return r.out
}

// refuse notes that the tool does not accept the file. Each file has one such gap a direction: the tool stops at the
// first.
func (r *gooseReader) refuse(at int, src, reason string) {
	s := r.script()
	for _, g := range r.out.up.Gaps {
		if g.Refused {
			return
		}
	}
	s.Gaps = append(s.Gaps, Gap{
		Pos: r.file.Position(at), Refused: true, Source: shorten(src),
		Reason: r.family.tool + " refuses the file: " + reason,
	})
}

// script is the direction that is being read.
func (r *gooseReader) script() *Script {
	if r.phase == inDown {
		return &r.out.down
	}
	return &r.out.up
}

func (r *gooseReader) line(l line) {
	text := r.file.Text[l.start:l.end]
	if r.phase == beforeUp && strings.TrimSpace(text) == "" {
		return
	}
	// An annotation begins with two dashes, so that most lines need no closer look.
	comment := false
	if i := strings.Index(text, "--"); i >= 0 {
		comment = strings.HasPrefix(strings.TrimSpace(text), "--")
		n, reason := noteNone, ""
		if comment {
			n, reason = r.family.note(text)
		}
		if n != noteNone && !r.annotation(n, reason, l) {
			return
		}
	}
	if r.buf.empty() && (comment || text == "") {
		return // comments and empty lines before a statement are left out
	}
	switch {
	case r.phase == beforeUp:
		r.refuse(l.start, text, "text before the Up annotation")
		return
	case r.ended && r.buf.empty():
		s := r.script()
		s.Gaps = append(s.Gaps, Gap{
			Pos: r.file.Position(l.start), Source: shorten(text),
			Reason: r.family.tool + " leaves out the line that follows an empty StatementBegin block",
		})
	case r.ended:
		// The line with StatementEnd is no part of the statement.
	case r.envsub && strings.IndexByte(text, '$') >= 0:
		text = r.substitute(l, text)
	default:
		r.buf.add(l)
	}
	switch {
	case r.ended:
		r.store()
		r.ended = false
	case !r.block && lastWordEnds(text):
		r.store()
	}
}

// annotation acts on one and says whether its line is looked at further: only StatementEnd's is.
func (r *gooseReader) annotation(n note, reason string, l line) bool {
	text := r.file.Text[l.start:l.end]
	switch n {
	case noteBad:
		r.refuse(l.start, text, reason)
	case noteUp:
		if r.phase != beforeUp {
			r.refuse(l.start, text, "a second Up annotation")
			return false
		}
		r.phase = inUp
	case noteDown:
		switch {
		case r.phase != inUp || r.block:
			r.refuse(l.start, text, "Down must come once, after Up and outside of StatementBegin and StatementEnd")
			if r.phase == inDown || r.block {
				return false
			}
		case !r.buf.empty():
			r.unfinished(l.start)
		}
		r.phase, r.ended = inDown, false
		r.out.hasDown, r.out.downAt = true, l.start
	case noteBegin:
		if r.phase == beforeUp || r.block {
			r.refuse(l.start, text, "StatementBegin must come after Up or Down, and not within another")
			return false
		}
		r.block, r.ended = true, false
	case noteEnd:
		if !r.block {
			r.refuse(l.start, text, "StatementEnd without StatementBegin")
			return false
		}
		r.block, r.ended = false, true
		return true
	case noteNoTransaction:
		r.useTx = false
	case noteEnvsubOn:
		r.envsub = true
	case noteEnvsubOff:
		r.envsub = false
	}
	return false
}

// unfinished stores a statement that no semicolon ended, which the tools refuse; white space alone is none.
func (r *gooseReader) unfinished(at int) {
	if s, ok := r.buf.trimmed(); ok {
		r.refuse(s.FileOffset(0), s.SQL, "the statement does not end in a semicolon")
		r.store()
		return
	}
	if at < len(r.file.Text) {
		// White space stays in the buffer of the tools, which is the beginning of the next statement and cut off there.
		r.buf.reset()
	}
}

func (r *gooseReader) store() {
	if s, ok := r.buf.trimmed(); ok {
		out := r.script()
		if r.unknown == "" {
			if out.Statements == nil {
				out.Statements = make([]Statement, 0, 8) // most files have a few
			}
			out.Statements = append(out.Statements, s)
		} else {
			out.Gaps = append(out.Gaps, Gap{
				Pos: s.Position(0), Source: shorten(s.SQL),
				Reason: "ENVSUB puts in the environment variable " + r.unknown + ", known only when the migration runs",
			})
		}
	}
	r.unknown = ""
	r.buf.reset()
}

func (r *gooseReader) end() {
	switch {
	case r.phase == beforeUp:
		r.refuse(0, "", "there is no Up annotation")
	case r.block:
		r.refuse(len(r.file.Text), "", "StatementBegin without StatementEnd")
		r.store()
	default:
		r.unfinished(len(r.file.Text))
	}
}

// substitute adds a line in which the tool puts values of its environment, and returns what it becomes.
func (r *gooseReader) substitute(l line, text string) string {
	out, unknown, ok := interpolate(text)
	switch {
	case !ok:
		r.refuse(l.start, text, "ENVSUB cannot read the variable on this line")
		r.buf.add(l)
		return text
	case out == text && unknown == "":
		r.buf.add(l)
		return text
	}
	if r.unknown == "" {
		r.unknown = unknown
	}
	r.buf.addReplaced(l, out)
	return out
}

// setTx puts all statements in one transaction.
func setTx(statements []Statement, tx int) {
	for i := range statements {
		statements[i].Tx = tx
	}
}
