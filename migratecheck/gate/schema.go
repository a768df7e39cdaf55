package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schema is what is known of a database's schema at one time. It does not change: take one per request ([Gate.Now]) and
// ask it everywhere, so that a request does not use one migration's columns and then not the next one's. The zero value
// is a schema of which nothing is known.
type Schema struct {
	tool Tool
	// head is the version of a tool that keeps one, and what all before it is taken as applied.
	head int64
	// applied are the versions of a tool that keeps them all, sorted.
	applied []int64
	dirty   bool
	read    time.Time
}

// AtLeast reports whether migration version has been applied, and was committed, when the schema was read. The version is
// the number that the migration's file has. It is false when that is not known, and true for a version of 0 or less.
func (s Schema) AtLeast(version int64) bool {
	if version <= s.head || version <= 0 {
		return true
	}
	_, found := slices.BinarySearch(s.applied, version)
	return found
}

// Version is the highest migration that has been applied, 0 for none.
func (s Schema) Version() int64 {
	if n := len(s.applied); n > 0 {
		return max(s.head, s.applied[n-1])
	}
	return s.head
}

// ReadAt is the time at which the database was asked, zero for never. The schema is at least as old.
func (s Schema) ReadAt() time.Time { return s.read }

// Dirty reports whether golang-migrate was applying a migration, or has failed to, when the schema was read.
func (s Schema) Dirty() bool { return s.dirty }

func (s Schema) String() string {
	switch {
	case s.read.IsZero():
		return "never read"
	case s.tool == "":
		return "no migrations"
	case s.dirty:
		return fmt.Sprintf("%s %d, dirty", s.tool, s.Version())
	}
	return fmt.Sprintf("%s %d", s.tool, s.Version())
}

// same reports whether two schemas answer every question alike.
func (s Schema) same(o Schema) bool {
	return s.tool == o.tool && s.head == o.head && s.dirty == o.dirty && slices.Equal(s.applied, o.applied)
}

// interpret makes a Schema of the rows of a version table.
func (c Config) interpret(t Tool, rows []string) (Schema, error) {
	s := Schema{tool: t}
	err := c.fill(&s, rows)
	if s.Version() >= c.Floor { // else the table says that even the oldest are not there
		s.head = max(s.head, c.Floor)
	}
	return s, err
}

func (c Config) fill(s *Schema, rows []string) error {
	switch s.tool {
	case Alembic:
		s.head = c.position(rows)
		return nil
	case Goose:
		return s.goose(rows)
	}
	for _, row := range rows {
		text, dirty := strings.CutSuffix(row, " dirty")
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("the version %q in the table of %s is no number", text, s.tool)
		}
		switch {
		case s.tool == Dbmate:
			s.applied = append(s.applied, version)
		case dirty:
			// golang-migrate writes the version it is going to before it runs the migration, up or down: only what lies below is
			// certain to be there.
			s.dirty, s.head = true, max(s.head, version-1)
		default:
			s.head = max(s.head, version)
		}
	}
	slices.Sort(s.applied)
	return nil
}

// goose reads rows of "version applied", the newest first. Old versions of goose recorded a Down as another row, so the
// newest row of each version counts.
func (s *Schema) goose(rows []string) error {
	seen := map[int64]bool{}
	for _, row := range rows {
		text, applied, _ := strings.Cut(row, " ")
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("the version %q in the table of goose is no number", text)
		}
		if !seen[version] && applied == "true" && version > 0 {
			s.applied = append(s.applied, version)
		}
		seen[version] = true
	}
	slices.Sort(s.applied)
	return nil
}

// position is the place in Revisions of the newest of several heads. A head that is not among them is newer than all, since
// Revisions begin at the base, unless another head is among them: then it is that of another branch.
func (c Config) position(heads []string) int64 {
	newest, unknown := 0, false
	for _, head := range heads {
		at := slices.Index(c.Revisions, head) + 1
		newest = max(newest, at)
		unknown = unknown || at == 0
	}
	if unknown && newest == 0 {
		newest = len(c.Revisions)
	}
	return int64(newest)
}
