package compat

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// blindSpot is a place of the old code that does not tell whether it depends on what a finding is about: a query that fails for
// another reason, a site that could not be read as a whole, a file that could not be.
type blindSpot struct {
	// leaves is how much of its weight the finding keeps on its account:
	//
	//   - Error, all of it: what is known of the place names what is changed, or the table that it belongs to; or its file names
	//     it, where the rest of what it sends comes from; or no query tells anything.
	//   - Warning: nothing is known of what it sends, and another file of the code names it, or its own file the table.
	//   - Info: the name stands nowhere in the code. It could only come from outside: a setting, a user.
	leaves migratecheck.Severity
	why    string // "" when there is nothing to name
}

// blindSpot is the one that leaves a finding most of its weight.
func (s *Service) blindSpot(f *migratecheck.Finding, step *migratecheck.Step) blindSpot {
	names, tables := names(f, step), tables(f, step)
	named := func(text string) string { return firstMentioned(text, names) }
	table := func(text string) string { return firstMentioned(text, tables) }
	for _, b := range s.Breaks {
		at, own := fmt.Sprintf("%s:%d", b.Pos.File, b.Pos.Line), b.Cell.Code == Old && b.Own
		if name := named(b.SQL); name != "" && (own || b.Cell == (Cell{Old, New})) {
			return blindSpot{migratecheck.Error, fmt.Sprintf("%s names %s, and fails for another reason", at, name)}
		}
		if name := table(b.SQL); name != "" && own && refusedUnread(b.Problem.Code) {
			return blindSpot{migratecheck.Error, fmt.Sprintf("%s names %s, and fails on its own schema", at, name)}
		}
	}
	if s.judged() == 0 {
		return blindSpot{migratecheck.Error, ""}
	}
	byName, written := only(f, step, columnDropped, columnRenamed), only(f, step, writtenKinds...)
	if written && len(tables) > 0 {
		names = tables // no INSERT names a constraint, or a column that it leaves out
	}
	spot := blindSpot{leaves: migratecheck.Info}
	for _, u := range s.Unchecked[Old] {
		at := fmt.Sprintf("%s:%d", u.Site.Pos.File, u.Site.Pos.Line)
		var known strings.Builder
		for i := range u.Site.Variants {
			if sql := u.Site.Variants[i].SQL; !written || !readsOnly(sql) {
				known.WriteString(sql + "\n")
			}
		}
		all, part := u.Site.Status == query.Static || u.Site.Status == query.Finite, ", of which only a part is known, names "
		if all {
			part = ", which could not be judged, names "
		}
		name := named(known.String())
		if name == "" && (!all || !byName || strings.Contains(known.String(), "*")) {
			name = table(known.String())
		}
		if name != "" {
			return blindSpot{migratecheck.Error, at + part + name}
		}
		if all || written && len(u.Site.Variants) > 0 {
			continue // it sends nothing else, or writes another table
		}
		if name := named(s.text(u.Site.Pos.File)); name != "" {
			return blindSpot{migratecheck.Error, fmt.Sprintf("what %s sends is not known as a whole, and its file names %s", at, name)}
		}
		if u.Site.Status != query.Dynamic || spot.leaves == migratecheck.Warning {
			continue
		}
		if name := table(s.text(u.Site.Pos.File)); name != "" {
			spot = blindSpot{migratecheck.Warning, fmt.Sprintf("what %s sends is not known, and its file names %s", at, name)}
		} else if file, name := s.elsewhere(named); name != "" {
			spot = blindSpot{migratecheck.Warning, fmt.Sprintf("what %s sends is not known, and %s names %s", at, file, name)}
		} else if s.Code[Old].Files != nil {
			spot.why = fmt.Sprintf("what %s sends is not known, and no file of the code names %s", at, strings.Join(names, " or "))
		}
	}
	for _, g := range s.Code[Old].Gaps {
		if name := named(s.text(g.Pos.File)); name != "" {
			return blindSpot{migratecheck.Error, fmt.Sprintf("%s could not be read as a whole, and names %s", g.Pos.File, name)}
		}
	}
	return spot
}

// judged is how many sites of the old code were, those left out that the server refuses on their own schema: of what else they depend
// on they tell nothing.
func (s *Service) judged() int {
	refused := map[*query.Site]bool{}
	for _, b := range s.Breaks {
		if b.Cell.Code == Old && b.Own && refusedUnread(b.Problem.Code) {
			refused[b.Site] = true
		}
	}
	return s.Coverage[Old].Checked - len(refused)
}

func firstMentioned(text string, names []string) string {
	for _, name := range names {
		if mentions(text, name) {
			return name
		}
	}
	return ""
}

// writtenKinds are the changes that only code which writes rows can depend on.
var writtenKinds = []kind{checkCreated, foreignKeyCreated, exclusionCreated, uniqueCreated, notNullSet, requiredColumnAdded, constraintAltered}

// only reports whether a finding is about changes of some kinds alone.
func only(f *migratecheck.Finding, step *migratecheck.Step, kinds ...kind) bool {
	for _, c := range step.Changes {
		if slices.Contains(family(c), f.Rule) && !slices.Contains(kinds, kindOf(c)) {
			return false
		}
	}
	return true
}

// readsOnly reports whether SQL, of which a part may be missing, is a single query.
func readsOnly(sql string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	return strings.EqualFold(first, "SELECT") && !strings.Contains(sql, ";")
}

// tables are the relations that a finding's changes are about, by the names that the old code has for them.
func tables(f *migratecheck.Finding, step *migratecheck.Step) []string {
	var list []string
	for _, c := range step.Changes {
		if !slices.Contains(family(c), f.Rule) {
			continue
		}
		o := c.Old
		if o == nil {
			o = c.New
		}
		if oid := catalog.TableOf(o); oid != 0 {
			for _, cat := range []*catalog.Catalog{step.Before, step.After} {
				if rel := cat.Get(oid); rel != nil {
					list = append(list, rel.ObjectName())
					break
				}
			}
		}
	}
	return list
}

// text is a file of the old code, "" when it cannot be had.
func (s *Service) text(file string) string {
	files := s.Code[Old].Files
	if files == nil || file == "" {
		return ""
	}
	data, err := fs.ReadFile(files, file)
	if err != nil {
		return ""
	}
	return string(data)
}

// elsewhere looks for a name in the programs of the old code, tests left out.
func (s *Service) elsewhere(named func(text string) string) (file, name string) {
	files := s.Code[Old].Files
	if files == nil {
		return "", ""
	}
	_ = fs.WalkDir(files, ".", func(at string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || name != "":
			return fs.SkipAll
		case e.IsDir() && (at == s.Timeline.Dir || slices.Contains([]string{".git", "vendor", "node_modules", "testdata"}, e.Name())):
			return fs.SkipDir
		case e.Type().IsRegular() && (path.Ext(at) == ".go" && !strings.HasSuffix(at, "_test.go") || path.Ext(at) == ".py"):
			file, name = at, named(s.text(at))
		}
		return nil
	})
	return file, name
}
