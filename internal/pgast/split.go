package pgast

// Span is the text of one statement, without leading and trailing space and comments and without its semicolon.
type Span struct {
	Text   string
	Offset int // where Text begins in the text given to Split, in bytes
}

// Split returns the top-level statements of sql without parsing them: it cuts at semicolons outside quotes, comments,
// parentheses and the BEGIN ATOMIC … END body of an SQL function. Statements without a token are left out.
func Split(sql string) []Span {
	pieces := survey(sql)
	spans := make([]Span, len(pieces))
	for i, p := range pieces {
		spans[i] = Span{Text: sql[p.start:p.end], Offset: p.start}
	}
	return spans
}
