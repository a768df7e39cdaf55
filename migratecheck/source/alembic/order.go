package alembic

import (
	"fmt"
	"sort"
	"strings"
)

// order sorts revisions so that each comes behind its parents and what it depends on. Among those that are free it
// follows one branch as long as it can before the next, as alembic does, and takes files by name where alembic takes
// them as the directory lists them. Revisions that are part of a cycle come last.
func order(revs []*revision) ([]*revision, []error) {
	var errs []error
	sort.SliceStable(revs, func(i, j int) bool { return revs[i].mod.Path < revs[j].mod.Path })
	byID := map[string]*revision{}
	label := map[string]*revision{}
	for _, r := range revs {
		if first := byID[r.ID]; first != nil {
			errs = append(errs, failure(r.mod, "revision", fmt.Sprintf("revision %s is also in %s", r.ID, first.mod.Path)))
			continue
		}
		byID[r.ID] = r
		for _, l := range r.Labels {
			label[l] = r
		}
	}
	// alembic accepts a unique beginning of an identifier in depends_on and down_revision.
	find := func(ref string) *revision {
		ref = strings.TrimSuffix(ref, "@head")
		if r := byID[ref]; r != nil {
			return r
		}
		if r := label[ref]; r != nil {
			return r
		}
		var found *revision
		if len(ref) >= 4 {
			for _, r := range revs {
				if strings.HasPrefix(r.ID, ref) {
					if found != nil {
						return nil
					}
					found = r
				}
			}
		}
		return found
	}
	parents := map[*revision][]*revision{}
	children := map[*revision][]*revision{}
	waiting := map[*revision]int{}
	for _, r := range revs {
		seen := map[*revision]bool{}
		for i, ref := range append(append([]string{}, r.Parents...), r.DependsOn...) {
			p := find(ref)
			if p == nil {
				kind := "down_revision"
				if i >= len(r.Parents) {
					kind = "depends_on"
				}
				errs = append(errs, failure(r.mod, kind, fmt.Sprintf("%s %s of revision %s is in no file", kind, ref, r.ID)))
				continue
			}
			if !seen[p] {
				seen[p] = true
				parents[r] = append(parents[r], p)
				children[p] = append(children[p], r)
				waiting[r]++
			}
		}
	}
	var out []*revision
	done := map[*revision]bool{}
	// A stack of the revisions that are ready: the children of the one just taken go first.
	var ready []*revision
	for i := len(revs) - 1; i >= 0; i-- {
		if waiting[revs[i]] == 0 {
			ready = append(ready, revs[i])
		}
	}
	for len(ready) > 0 {
		r := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		out = append(out, r)
		done[r] = true
		kids := children[r]
		for i := len(kids) - 1; i >= 0; i-- {
			if waiting[kids[i]]--; waiting[kids[i]] == 0 {
				ready = append(ready, kids[i])
			}
		}
	}
	if len(out) < len(revs) {
		var cycle []string
		var first *revision
		for _, r := range revs {
			if done[r] {
				continue
			}
			out = append(out, r)
			if onCycle(r, parents) {
				if first == nil {
					first = r
				}
				cycle = append(cycle, r.ID+" ("+r.mod.Path+")")
			}
		}
		errs = append(errs, failure(first.mod, "down_revision", "revisions follow each other in a circle: "+strings.Join(cycle, ", ")))
	}
	return out, errs
}

// onCycle reports whether r is its own ancestor.
func onCycle(r *revision, parents map[*revision][]*revision) bool {
	seen := map[*revision]bool{}
	todo := append([]*revision{}, parents[r]...)
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p == r {
			return true
		}
		if !seen[p] {
			seen[p] = true
			todo = append(todo, parents[p]...)
		}
	}
	return false
}
