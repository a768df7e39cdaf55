package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkEnumLabel = &Check{
	ID:      "enum-label",
	Catches: "A literal is not a label of the enum that it is compared with or stored as.",
	Code:    "22P02, 55P04",
	Rules:   []string{"change-column-type", "rename-enum-value"},
	Asks:    TheCode,
	Source:  "src/backend/utils/adt/enum.c enum_in",
	Bodies:  true,
	on: func(r *reading, c *Check) {
		for _, e := range r.an.AtRun {
			r.report(c, Problem{Code: e.Code, Offset: max(e.Position-1, r.stmt.Offset), Maybe: true, Objects: e.Objects}, "%s fails where it comes to that value: %s", r.verb(), e.Message)
		}
	},
	refuses: func(e *catalog.Error) bool {
		return e.Code == "22P02" && strings.HasPrefix(e.Message, "invalid input value for enum") || e.Code == "55P04"
	},
}
