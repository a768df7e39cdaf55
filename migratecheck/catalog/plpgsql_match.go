package catalog

import (
	"regexp"
	"strings"
	"sync"
)

// simplePattern is what means the same in PostgreSQL's regular expressions (functions-matching.html) and in Go's, of texts in ASCII
// without a line break: letters, digits, classes, bounds, groups and the escapes of punctuation and classes.
var simplePattern = sync.OnceValue(func() *regexp.Regexp {
	class := `\[\^?-?(?:\w-\w|[\w .,:;/@%+])+-?\]`
	atom := `(?:[\w @,:;/%#&=~<>!'"-]|\.|\\[dwsDWS.+*?()|/-]|` + class + `)`
	return regexp.MustCompile(`^\^?(?:(?:` + atom + `|\))(?:[*+?]|\{\d{1,2}(?:,\d{0,2})?\})?|[(|])*\$?$`)
})

// matches is x ~ y and its like, of texts whose answer is certain.
func matches(operator string, text, pattern plValue) plValue {
	if text.kind != plString || pattern.kind != plString {
		return nullOrUnknown(text, pattern)
	}
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	if strings.ContainsFunc(text.s, odd) || strings.ContainsFunc(pattern.s, odd) || !simplePattern().MatchString(pattern.s) {
		return plValue{}
	}
	source := pattern.s
	if strings.HasSuffix(operator, "*") {
		source = "(?i)" + source
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return plValue{}
	}
	return plBool(re.MatchString(text.s) == !strings.HasPrefix(operator, "!"))
}
