package source

import "fmt"

// Set is one directory of migrations, read.
type Set struct {
	Dir    string // slash-separated, relative to the root of the file system
	Format string // the name of a Format; empty when nothing but Problems was found, or when files of several were named
	// Named is set when the files were named one by one: the directory may hold others.
	Named bool
	// Link is set when Dir is a link to migrations elsewhere, which was not followed: the set holds nothing then. Discover reads
	// such a directory when it is named itself.
	Link bool
	// Migrations are in the order in which the tool applies them. Two of one version are both there.
	Migrations []Migration
	// Other are the files in the directory that the tool does not take for migrations.
	Other []string
	// Problems are the files that could not be read, and what makes the tool refuse the directory as a whole.
	Problems []Problem
	// SchemaFile is the schema.sql beside the directory or above it; empty when there is none.
	SchemaFile string
}

// Problem is a file or directory that could not be read; the others of its Set were.
type Problem struct {
	Pos    Position // Line and Column are 0 when the file as a whole is meant
	Reason string   // e.g. "binary file: NUL byte"
	Err    error    // the file system's, when there is one
}

func (p Problem) Error() string {
	switch {
	case p.Pos.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", p.Pos.File, p.Pos.Line, p.Pos.Column, p.Reason)
	case p.Pos.File != "":
		return p.Pos.File + ": " + p.Reason
	}
	return p.Reason
}

// Unwrap returns Err.
func (p Problem) Unwrap() error { return p.Err }
