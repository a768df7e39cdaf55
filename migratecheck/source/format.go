package source

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// Format is one tool's way of writing migrations.
type Format struct {
	Name  string // as in Migration.Tool and on the command line
	About string // one line: how its files look

	// ext is the extension of its files.
	ext string
	// recursive: the tool reads the directories below, too, as part of the same history.
	recursive bool
	// claim says how sure the format is that a file is its own, from the name (without its directory) and the text.
	claim func(name, text string) claim
	// name parses a file's name. Not ok: the tool does not take the file for a migration.
	name func(name string) (named, bool)
	// read reads one file.
	read func(f *File) script
	// compare orders as the tool does; equal versions are ordered by file name afterwards.
	compare func(a, b *Migration) int
	// arrange, when set, makes migrations of all the files of a directory at once, instead of name, read and compare.
	arrange func(dir *directory, files []File, set *Set)
	// finish, when set, looks at the whole directory after its files were read.
	finish func(dir *directory, set *Set)
}

// claim is how sure a format is of a file. A directory belongs to the format with the surest claim on any of its
// files, and among equals to the one with the most of them.
type claim int

const (
	claimNone   claim = iota
	claimDigits       // a number before the name: any numbered .sql file
	claimName         // a name only this tool gives, or an annotation that it shares
	claimOwn          // the tool's own annotation
	claimAlone        // an annotation that all other tools refuse
)

// named is what a file's name says.
type named struct {
	version string
	title   string
	down    bool // the file is the way down of version
	repeat  bool
	// baseline: the file stands for every migration up to its version (Flyway's B, atlas's checkpoint).
	baseline bool
}

// script is what one file holds.
type script struct {
	up, down Script
	hasDown  bool
	// downAt is where in the file the way down begins; 0 when the whole file is one direction, -1 when there is none.
	downAt int
	// baseline is named.baseline for formats that say it in the text.
	baseline bool
	// masked is the file's text with what is not SQL overwritten by spaces; empty when nothing is.
	masked string
}

// Formats are all formats, sorted by name.
func Formats() []Format {
	return []Format{
		alembicFormat(),
		atlasFormat(),
		brantFormat(),
		dbmateFormat(),
		flywayFormat(),
		golangMigrateFormat(),
		gooseFormat(),
		plainFormat(),
		sqlMigrateFormat(),
		ternFormat(),
	}
}

// LookupFormat finds a format by its name.
func LookupFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("unknown migration format %q; there are %s", name, strings.Join(names, ", "))
}

// compareNumbers compares decimal numbers of any length by their value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}

// byNumber orders by version as a number.
func byNumber(a, b *Migration) int { return compareNumbers(a.Version, b.Version) }

// byFileName orders by the file's name as bytes.
func byFileName(a, b *Migration) int { return cmp.Compare(path.Base(a.File), path.Base(b.File)) }

// digits is the run of ASCII digits that s begins with.
func digits(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// positiveInt64 says whether strconv.ParseInt(s, 10, 64) takes a string of digits and returns one above zero.
func positiveInt64(s string) bool {
	const most = "9223372036854775807"
	return s != "" && digits(s) == s && strings.Trim(s, "0") != "" && compareNumbers(s, most) <= 0
}
