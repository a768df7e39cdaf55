package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNotUpdatable = &Check{
	ID:      "not-updatable",
	Catches: "A view or another relation that is written to does not take the change.",
	Code:    "55000, 0A000, 42809",
	Rules:   []string{"drop-trigger", "rename-table", "replace-view"},
	Asks:    TheCode,
	Source:  "src/backend/rewrite/rewriteHandler.c rewriteTargetView",
	refuses: func(e *catalog.Error) bool {
		switch e.Code {
		case "55000", "0A000":
			return strings.Contains(e.Message, "view") || strings.HasPrefix(e.Message, "cannot execute MERGE")
		case "42809":
			return strings.HasPrefix(e.Message, "cannot ")
		}
		return false
	},
}
