package source

import (
	"path"
	"strings"
)

// brantFormat reads brant's migrations (git.sr.ht/~bitfehler/brant v0.5.1): NNNN_name.sql, all the way down the
// directory tree (source.go, collect).
func brantFormat() Format {
	return Format{
		Name:      "brant",
		About:     "NNNN_name.sql with -- +brant Up (or -- +goose Up beside files that have +brant)",
		ext:       ".sql",
		recursive: true,
		claim: func(_, text string) claim {
			if strings.Contains(text, "+brant") && hasNote(text, brantNote, "+brant") {
				return claimAlone
			}
			return claimNone
		},
		name:    gooseName,
		read:    gooseFamily{tool: "brant", note: brantNote}.read,
		compare: byNumber,
		finish: func(dir *directory, set *Set) {
			// collect runs in strict mode: one .sql file that it cannot number stops it.
			for _, name := range set.Other {
				if !strings.HasSuffix(name, ".sql") {
					continue
				}
				reason := "the file's name does not begin with a number and an underscore"
				if number, _, ok := strings.Cut(path.Base(name), "_"); ok && number != "" && strings.Trim(number, "0") == "" {
					reason = "versions begin at 1, and this file's is 0"
				}
				set.Problems = append(set.Problems, Problem{Pos: Position{File: name}, Reason: "brant refuses the whole directory: " + reason})
			}
		},
	}
}

// brantNote reads an annotation: "--", then "+brant" or "+goose", each a word of its own, then one or two more words.
func brantNote(s string) (note, string) {
	var words [4]string
	n := 0
	for w := range strings.FieldsSeq(s) {
		words[n] = w
		if n++; n == len(words) {
			break
		}
	}
	if n < 2 || words[0] != "--" || words[1] != "+brant" && words[1] != "+goose" {
		return noteNone, ""
	}
	name := words[2]
	if n == 4 {
		name += " " + words[3]
	}
	if k := noteNamed(name); k != noteBad {
		return k, ""
	}
	return noteBad, "unknown annotation " + name
}

// gooseName parses NNN_name.sql as goose (migration.go, NumericComponent) and brant (source.go, GetVersion) do.
func gooseName(name string) (named, bool) {
	base, ok := strings.CutSuffix(name, ".sql")
	if !ok {
		return named{}, false
	}
	number, title, ok := strings.Cut(base, "_")
	if !ok || !positiveInt64(number) {
		return named{}, false
	}
	return named{version: number, title: title}, true
}

// hasNote says whether a line of the text is an annotation with the marker.
func hasNote(text string, read func(string) (note, string), marker string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], marker)
		if i < 0 {
			return false
		}
		i += at
		start := strings.LastIndexByte(text[:i], '\n') + 1
		end := len(text)
		if j := strings.IndexByte(text[i:], '\n'); j >= 0 {
			end = i + j
		}
		if n, _ := read(strings.TrimPrefix(text[start:end], bom)); n != noteNone {
			return true
		}
		at = end
	}
}
