package compat

import (
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Services judges every service of a tree: each directory of migrations with the code around it. A site belongs to the
// deepest service whose directory it is in; what lies in none, to each whose schema has the tables and columns that it names.
func Services(cfg Config, timelines []*migratecheck.Timeline, old, new *Code) []*Service {
	timelines = current(postgres(timelines))
	old, new = old.postgres(), new.postgres()
	dirs := serviceDirs(timelines, old, new)
	claims := slices.Clone(dirs)
	for i, t := range timelines {
		if dirs[i] == "." && path.Dir(t.Dir) != "." && len(timelines) > 1 {
			claims[i] = nowhere // there is no code anywhere near
		}
	}
	var list []*Service
	outside := map[*query.Site][]int{}
	for i, t := range timelines {
		in := func(v Version) func(*query.Site) bool {
			return func(site *query.Site) bool {
				if isMigration(timelines, site.Pos.File) {
					return false // it ran on the schema of its time
				}
				if at := deepest(claims, site.Pos.File); at >= 0 {
					return at == i
				}
				of, known := outside[site]
				if !known {
					of = byTables(timelines, v, site)
					outside[site] = of
				}
				return slices.Contains(of, i)
			}
		}
		list = append(list, Check(cfg, dirs[i], t, old.within(in(Old)), new.within(in(New))))
	}
	return list
}

// nowhere is a directory that holds no file.
const nowhere = "/"

// isMigration reports whether a file of code is a migration itself: it stands among them, and its name begins with a
// version.
func isMigration(timelines []*migratecheck.Timeline, file string) bool {
	base := path.Base(file)
	return base[0] >= '0' && base[0] <= '9' && slices.ContainsFunc(timelines, func(t *migratecheck.Timeline) bool { return t.Dir == path.Dir(file) })
}

// byTables lists the indexes of the histories that a site outside of all services belongs to: those with a schema that has all
// that it names, but for examples, and those that begin nobody knows with what, where there are others. What names nothing, or what none of them has, belongs to one: where the
// fewest relations are missing, and of equal ones to the first that has something pending.
func byTables(timelines []*migratecheck.Timeline, v Version, site *query.Site) []int {
	best, fewest := -1, 0
	var whole, doubtful []int
	b := query.Parse(site)
	for i, t := range timelines {
		lacks, wrong := missing(b, t.Base)
		named := namesAny(b, t.Base)
		if v == New {
			// Either may be the one that has all of it: what is pending drops some, or makes it.
			l, w := missing(b, t.Final)
			lacks, wrong, named = l, min(wrong, w), named || namesAny(b, t.Final)
		}
		switch {
		case wrong > 0 || !named:
		case isExample(t.Dir) || t.Open:
			doubtful = append(doubtful, i)
		default:
			whole = append(whole, i)
		}
		if best < 0 || lacks < fewest || lacks == fewest && len(timelines[best].Pending) == 0 && len(t.Pending) > 0 {
			best, fewest = i, lacks
		}
	}
	switch {
	case len(whole) > 0:
		return whole
	case len(doubtful) > 0:
		return doubtful
	}
	return []int{best}
}

// missing counts the relations that a schema lacks for a site, and all that the server refuses of it there.
func missing(b *query.Bound, cat *catalog.Catalog) (relations, all int) {
	for _, p := range b.On(cat).Problems {
		if p.Check == "missing-relation" {
			relations++
		}
		if refusedUnread(p.Code) {
			all++
		}
	}
	return relations, all
}

// namesAny reports whether a site names anything of a schema.
func namesAny(b *query.Bound, cat *catalog.Catalog) bool {
	oids, _ := b.Needs(cat)
	return len(oids) > 0
}

// otherDatabase is the part of a path that names another database than PostgreSQL: migrations/mysql, storage/sqlite3. "" when
// none does. Services that run on several keep their SQL apart by such names.
func otherDatabase(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		for _, database := range []string{"mysql", "mariadb", "sqlite", "mssql", "sqlserver", "clickhouse"} {
			if strings.Contains(strings.ToLower(part), database) {
				return strings.Join(parts[:i+1], "/")
			}
		}
	}
	return ""
}

// postgres leaves out other databases' histories, unless there are no others.
func postgres(timelines []*migratecheck.Timeline) []*migratecheck.Timeline {
	list := slices.DeleteFunc(slices.Clone(timelines), func(t *migratecheck.Timeline) bool { return otherDatabase(t.Dir) != "" })
	if len(list) == 0 {
		return timelines
	}
	return list
}

// postgres leaves out the sites in directories of other databases, and names these.
func (c *Code) postgres() *Code {
	out := *c
	out.Sites, out.Gaps = nil, slices.Clone(c.Gaps)
	said := map[string]bool{}
	for i := range c.Sites {
		dir := ""
		if c.Sites[i].Module == "" {
			dir = otherDatabase(path.Dir(c.Sites[i].Pos.File))
		}
		switch {
		case dir == "":
			out.Sites = append(out.Sites, c.Sites[i])
		case !said[dir]:
			said[dir] = true
			out.Gaps = append(out.Gaps, Gap{Reason: dir + ": by its name it is for another database than PostgreSQL"})
		}
	}
	return &out
}

// current leaves out the histories that another tool has taken over: alembic's revisions, once the same tree has SQL
// migrations, unless some of them are pending themselves.
func current(timelines []*migratecheck.Timeline) []*migratecheck.Timeline {
	var list []*migratecheck.Timeline
	for _, t := range timelines {
		taken := false
		for _, other := range timelines {
			above := path.Dir(other.Dir)
			taken = taken || t.Format == "alembic" && other.Format != "alembic" && (above == "." || strings.HasPrefix(t.Dir, above+"/"))
		}
		if !taken || len(t.Pending) > 0 {
			list = append(list, t)
		}
	}
	return list
}

// serviceDirs says for each history which directory the code around it is in: the nearest above the migrations that holds
// query sites of its own.
func serviceDirs(timelines []*migratecheck.Timeline, codes ...*Code) []string {
	dirs := make([]string, len(timelines))
	for i, t := range timelines {
		dir := path.Dir(t.Dir)
		for dir != "." && !holdsSites(dir, codes) {
			dir = path.Dir(dir)
		}
		dirs[i] = dir
		if len(timelines) == 1 && !isExample(t.Dir) {
			dirs[i] = "."
		}
	}
	return dirs
}

func holdsSites(dir string, codes []*Code) bool {
	for _, c := range codes {
		for i := range c.Sites {
			if c.Sites[i].Module == "" && strings.HasPrefix(c.Sites[i].Pos.File, dir+"/") {
				return true
			}
		}
	}
	return false
}

// deepest is the index of the deepest directory that holds a file; -1 when none does. Of equal ones the last wins: the
// newest tool's, since formats are found in the order of their directories.
func deepest(dirs []string, file string) int {
	best := -1
	for i, dir := range dirs {
		if dir != "." && !strings.HasPrefix(file, dir+"/") {
			continue
		}
		if best < 0 || len(dir) >= len(dirs[best]) || dirs[best] == "." {
			best = i
		}
	}
	return best
}

// within is the part of the code whose sites satisfy in. What belongs to a dependency belongs to every service, and so do
// the gaps.
func (c *Code) within(in func(*query.Site) bool) *Code {
	out := &Code{Rev: c.Rev, Files: c.Files, Gaps: c.Gaps}
	for i := range c.Sites {
		if s := &c.Sites[i]; s.Module != "" || in(s) {
			out.Sites = append(out.Sites, *s)
		}
	}
	return out
}

// Nearest is the history that the code in a directory belongs to, going by where the migrations are: the deepest one whose
// directory is in, or beside, one at or above dir; nil when none is.
func Nearest(timelines []*migratecheck.Timeline, dir string) *migratecheck.Timeline {
	timelines = current(timelines)
	dirs := make([]string, len(timelines))
	for i, t := range timelines {
		dirs[i] = path.Dir(t.Dir)
	}
	if i := deepest(dirs, path.Join(dir, "x")); i >= 0 {
		return timelines[i]
	}
	if len(timelines) == 1 && !isExample(timelines[0].Dir) {
		return timelines[0]
	}
	return nil
}

// isExample reports whether migrations are those of an example or a test, which the code around them has nothing to do with.
func isExample(dir string) bool {
	return slices.ContainsFunc(strings.Split(dir, "/"), func(name string) bool {
		return slices.Contains([]string{"example", "examples", "test", "tests", "testdata"}, name)
	})
}
