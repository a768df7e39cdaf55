package catalogtest

import (
	"strconv"
	"strings"
)

// Script is a list of statements that start from an empty database.
type Script struct {
	Name       string
	Since      int // the first major version that it is about, 0 for all
	Statements []string
}

// ParseScripts reads a file of scripts. Each begins at a line "-- script: NAME"; a statement ends at a line that ends in a
// semicolon outside dollar quotes and comments. A line "-- since: N" says that it is about PostgreSQL N and later.
func ParseScripts(text string) []Script {
	var scripts []Script
	var current *Script
	var lines []string
	quoted := false
	flush := func() {
		if s := strings.TrimSpace(strings.Join(lines, "\n")); s != "" && current != nil {
			current.Statements = append(current.Statements, strings.TrimSuffix(s, ";"))
		}
		lines, quoted = nil, false
	}
	for _, line := range strings.Split(text, "\n") {
		if name, ok := strings.CutPrefix(line, "-- script: "); ok {
			flush()
			scripts = append(scripts, Script{Name: strings.TrimSpace(name)})
			current = &scripts[len(scripts)-1]
			continue
		}
		if since, ok := strings.CutPrefix(line, "-- since: "); ok && current != nil {
			current.Since, _ = strconv.Atoi(since) // 0 when it is no number, which is every version
			continue
		}
		if strings.HasPrefix(line, "--") && len(lines) == 0 {
			continue
		}
		lines = append(lines, line)
		if strings.Count(line, "$$")%2 == 1 {
			quoted = !quoted
		}
		if !quoted && strings.HasSuffix(strings.TrimSpace(line), ";") {
			flush()
		}
	}
	flush()
	return scripts
}
