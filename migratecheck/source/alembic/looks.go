package alembic

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

// LooksLikeRevision reports whether a file is an alembic revision, by its name and the two assignments that alembic
// demands of one (alembic/script/base.py, Script._from_filename). It does not parse.
func LooksLikeRevision(name, text string) bool {
	return isPython(name) && !isEnv(name) && looksLikeRevision(text)
}

// isPython reports whether a file is Python by its name.
func isPython(name string) bool { return strings.HasSuffix(name, ".py") }

func isEnv(name string) bool { return path.Base(name) == "env.py" }

var (
	revisionLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^(?:\x{feff})?revision\s*(?::[^=\n]*)?=`)
	})
	parentLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^down_revision\s*(?::[^=\n]*)?=`)
	})
)

func looksLikeRevision(text string) bool {
	// alembic itself wants only `revision`; the second word keeps away from files that merely have a variable of that name.
	if !strings.Contains(text, "revision") {
		return false
	}
	return revisionLine().MatchString(text) && (parentLine().MatchString(text) || strings.Contains(text, "def upgrade"))
}
