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

// unread says how much of a finding's weight the sites of the old code leave it that could not be read as a whole, and why:
//
//   - Error, all of it: what is known of a site names what is changed, or the table that it belongs to; or its file names
//     it, where the rest of what it sends comes from.
//   - Warning: nothing is known of a site, and another file of the code names it, or its own file the table.
//   - Info: the name stands nowhere in the code. It could only come from outside: a setting, a user.
func (s *Service) unread(f *migratecheck.Finding, step *migratecheck.Step) (migratecheck.Severity, string) {
	names, tables := names(f, step), tables(f, step)
	byName, written := only(f, step, columnDropped, columnRenamed), only(f, step, writtenKinds...)
	if written && len(tables) > 0 {
		names = tables // no INSERT names a constraint, or a column that it leaves out
	}
	named := func(text string) string { return firstMentioned(text, names) }
	table := func(text string) string { return firstMentioned(text, tables) }
	severity, why := migratecheck.Info, ""
	for _, u := range s.Unchecked[Old] {
		at := fmt.Sprintf("%s:%d", u.Site.Pos.File, u.Site.Pos.Line)
		var known strings.Builder
		for i := range u.Site.Variants {
			if sql := u.Site.Variants[i].SQL; !written || !readsOnly(sql) {
				known.WriteString(sql + "\n")
			}
		}
		all := u.Site.Status == query.Static || u.Site.Status == query.Finite
		part := ", of which only a part is known, names "
		if all {
			part = ", which could not be judged, names "
		}
		if name := named(known.String()); name != "" {
			return migratecheck.Error, at + part + name
		}
		if name := table(known.String()); name != "" && (!all || !byName || strings.Contains(known.String(), "*")) {
			return migratecheck.Error, at + part + name
		}
		if all || written && len(u.Site.Variants) > 0 {
			continue // it sends nothing else, or writes another table
		}
		if name := named(s.text(u.Site.Pos.File)); name != "" {
			return migratecheck.Error, fmt.Sprintf("what %s sends is not known as a whole, and its file names %s", at, name)
		}
		if u.Site.Status != query.Dynamic || severity == migratecheck.Warning {
			continue
		}
		if name := table(s.text(u.Site.Pos.File)); name != "" {
			severity, why = migratecheck.Warning, fmt.Sprintf("what %s sends is not known, and its file names %s", at, name)
		} else if file, name := s.elsewhere(named); name != "" {
			severity, why = migratecheck.Warning, fmt.Sprintf("what %s sends is not known, and %s names %s", at, file, name)
		} else if s.Code[Old].Files != nil {
			why = fmt.Sprintf("what %s sends is not known, and no file of the code names %s", at, strings.Join(names, " or "))
		}
	}
	for _, g := range s.Code[Old].Gaps {
		if name := named(s.text(g.Pos.File)); name != "" {
			return migratecheck.Error, fmt.Sprintf("%s could not be read as a whole, and names %s", g.Pos.File, name)
		}
	}
	return severity, why
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
