package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkLiteral = &Check{
	ID:      "literal",
	Catches: "A literal is not a value of the type that it is compared with or stored as.",
	Code:    "22P02, 22003, 22007",
	Rules:   []string{"change-column-type", "narrow-column-type"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_coerce.c coerce_type, which runs the type's in function on a literal",
	refuses: func(e *catalog.Error) bool {
		return e.Code == "22P02" && !strings.HasPrefix(e.Message, "invalid input value for enum") || e.Code == "22003" || e.Code == "22007"
	},
}
