package source

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// noteLinks adds the links in a directory that was walked. Whether they lead elsewhere shows when all of the tree was.
func (r *reader) noteLinks(d *directory) {
	r.walked = append(r.walked, d.path)
	for _, e := range d.entries {
		if e.Type()&fs.ModeSymlink != 0 && !passedOver(e.Name()) && d.isDir(e) {
			r.links = append(r.links, path.Join(d.path, e.Name()))
		}
	}
}

// unfollowed lists the links to directories that hold migrations, themselves or in one right below, and that were not walked
// under a name of their own. A link to a directory around or in the tree is passed over: what it leads to was read.
func (r *reader) unfollowed() []string {
	if len(r.links) == 0 {
		return nil
	}
	var seen []fs.FileInfo
	for _, dir := range r.walked {
		if info, err := fs.Stat(r.fsys, dir); err == nil {
			seen = append(seen, info)
		}
	}
	return slices.DeleteFunc(r.links, func(link string) bool { return r.leadsUp(link) || !r.leadsToOthers(link, seen, true) })
}

// leadsUp reports whether a link leads to a directory above it, round and round.
func (r *reader) leadsUp(link string) bool {
	to, err := fs.ReadLink(r.fsys, link)
	return err == nil && strings.Trim(path.Clean(to), "./") == ""
}

// leadsToOthers reports whether a directory, or with below one in it, is one of migrations and not among those seen.
func (r *reader) leadsToOthers(dir string, seen []fs.FileInfo, below bool) bool {
	info, err := fs.Stat(r.fsys, dir)
	if err != nil || slices.ContainsFunc(seen, func(s fs.FileInfo) bool { return os.SameFile(s, info) }) {
		return false
	}
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		return false
	}
	if _, claimed := r.readDir(&directory{fsys: r.fsys, path: dir, entries: entries, workers: r.workers}); claimed {
		return true
	}
	return below && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() && !passedOver(e.Name()) && r.leadsToOthers(path.Join(dir, e.Name()), seen, false)
	})
}
