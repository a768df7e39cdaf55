package catalog

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

const typeUUID OID = 2950

// checkLiteral refuses a text that the in function of a built-in type does not take (src/backend/utils/adt: numutils.c,
// bool.c, uuid.c, float.c, json.c, datetime.c). It knows the plain cases and is silent on those that need the whole
// function: formats of dates, and what only newer servers take, such as 0x1f and 1_000 (PostgreSQL 16).
func (c *Catalog) checkLiteral(text string, target TypeRef) error {
	base := c.baseType(target)
	if base.Array {
		return c.checkArrayLiteral(text, base)
	}
	invalid := func() error {
		return errorf("22P02", "invalid input syntax for type %s: %s", c.typeText(base.bare()), quoteMessage(text))
	}
	s := strings.Trim(text, " \t\n\v\f\r")
	switch base.OID {
	case typeInt2, typeInt4, typeInt8:
		if newerNumber.MatchString(s) {
			return nil
		}
		bits := map[OID]int{typeInt2: 16, typeInt4: 32, typeInt8: 64}[base.OID]
		_, err := strconv.ParseInt(s, 10, bits)
		if errors.Is(err, strconv.ErrRange) {
			return errorf("22003", "value %s is out of range for type %s", quoteMessage(text), c.typeText(base.bare()))
		}
		if err != nil {
			return invalid()
		}
	case typeBool:
		if !boolLiteral(strings.ToLower(s)) {
			return invalid()
		}
	case typeNumeric, 700, typeFloat8:
		if newerNumber.MatchString(s) {
			return nil
		}
		if _, err := strconv.ParseFloat(s, 64); err != nil && !errors.Is(err, strconv.ErrRange) {
			return invalid()
		}
	case typeUUID:
		if !uuidLiteral(text) {
			return invalid()
		}
	case typeJSON, typeJSONB:
		if !json.Valid([]byte(text)) {
			return errorf("22P02", "invalid input syntax for type json")
		}
	case typeDate, typeTimestamp, typeTimestamptz:
		if !strings.ContainsAny(s, "0123456789") && !dateWord(strings.ToLower(s)) {
			return errorf("22007", "invalid input syntax for type %s: %s", c.typeText(base.bare()), quoteMessage(text))
		}
	}
	return nil
}

// newerNumber are the ways to write a number that PostgreSQL takes since 16, and hexadecimal floats.
var newerNumber = regexp.MustCompile(`^[-+]?0[xXoObB][0-9a-fA-F_.pP+-]+$|^[-+]?[0-9]+(_[0-9]+)+`)

// boolLiteral is parse_bool_with_len: any beginning of a word that tells it from the others.
func boolLiteral(s string) bool {
	if s == "1" || s == "0" {
		return true
	}
	for word, least := range map[string]int{"true": 1, "false": 1, "yes": 1, "no": 1, "on": 2, "off": 2} {
		if len(s) >= least && strings.HasPrefix(word, s) {
			return true
		}
	}
	return false
}

// uuidLiteral is string_to_uuid: 32 hexadecimal digits, braces around, a hyphen after any group of four.
func uuidLiteral(s string) bool {
	if strings.HasPrefix(s, "{") {
		if !strings.HasSuffix(s, "}") {
			return false
		}
		s = s[1 : len(s)-1]
	}
	digits := 0
	for i := range len(s) {
		switch ch := s[i]; {
		case ch >= '0' && ch <= '9', ch >= 'a' && ch <= 'f', ch >= 'A' && ch <= 'F':
			digits++
		case ch == '-' && digits > 0 && digits%4 == 0 && digits < 32 && s[i-1] != '-':
		default:
			return false
		}
	}
	return digits == 32
}

// dateWord accepts what has one of the special words of datetime.c (datetktbl) in it.
func dateWord(s string) bool {
	for _, word := range []string{"now", "today", "tomorrow", "yesterday", "epoch", "infinity"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}
