// Package gitrepo reads a git repository through the git command: revisions, tags, and trees as file systems. It never
// writes: not the index, not the work tree, no ref.
package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotRepository is returned by Open for a directory outside any repository, or when there is no git command.
var ErrNotRepository = errors.New("not a git repository")

// ErrBare is what Open's error is for a repository without a work tree.
var ErrBare = errors.New("a bare repository, which has no files to read")

// Repo is a repository with a work tree. It is safe for concurrent use.
type Repo struct {
	// Root is the top of the work tree, Prefix the slash-separated way from there to the directory that was opened
	// ("" at the top).
	Root, Prefix string
	// At is the revision from which history is looked at; "" is HEAD.
	At string
}

// at is the revision from which history is looked at.
func (r *Repo) at() string {
	if r.At == "" {
		return "HEAD"
	}
	return r.At
}

// Open finds the repository that dir belongs to. The error is ErrNotRepository, wraps ErrBare, or says why git could
// not answer (an unsafe owner, a broken repository).
func Open(ctx context.Context, dir string) (*Repo, error) {
	if _, err := exec.LookPath("git"); err != nil || outside(dir) {
		return nil, ErrNotRepository
	}
	out, err := run(ctx, dir, "rev-parse", "--show-toplevel", "--show-prefix")
	if err != nil {
		if strings.Contains(err.Error(), "not a git repository") {
			return nil, ErrNotRepository
		}
		if bare, _ := run(ctx, dir, "rev-parse", "--is-bare-repository"); strings.TrimSpace(bare) == "true" {
			return nil, fmt.Errorf("%s is %w: check a revision out, `git -C %[1]s worktree add DIR REVISION`, and run this in DIR", dir, ErrBare)
		}
		return nil, fmt.Errorf("asking git about %s: %w", dir, err)
	}
	lines := strings.Split(out, "\n")
	if len(lines) < 2 || lines[0] == "" {
		return nil, ErrNotRepository
	}
	return &Repo{Root: filepath.FromSlash(lines[0]), Prefix: strings.TrimSuffix(lines[1], "/")}, nil
}

// outside reports that git would find no repository from dir upwards: it is not asked then, which takes as long as linting a hundred files.
// A repository is .git, a bare one HEAD among other files (is_git_directory of git's setup.c).
func outside(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil || os.Getenv("GIT_DIR") != "" {
		return false // git says what is wrong
	}
	for {
		for _, name := range []string{".git", "HEAD"} {
			if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
				return false
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// run executes git read-only: no optional locks, no pager, no hooks are involved in these commands.
func run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--no-optional-locks", "-c", "core.quotePath=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		msg := strings.TrimSpace(stderr.String())
		if msg == "" {
			return "", fmt.Errorf("git %s: %w", args[0], err)
		}
		return "", fmt.Errorf("git %s: %s: %w", args[0], whatCounts(msg), err)
	}
	return stdout.String(), nil
}

// whatCounts is the first line of git's message, and the command by which a repository of somebody else's is trusted, when
// git names one (die_if_not_owned… of setup.c: "To add an exception for this directory, call:").
func whatCounts(msg string) string {
	first, rest, _ := strings.Cut(msg, "\n")
	for line := range strings.Lines(rest) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "git config ") && strings.Contains(line, "safe.directory") {
			return first + "; if you trust it: " + line
		}
	}
	return first
}

// Resolve turns a revision into a commit id.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	out, err := run(ctx, r.Root, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if shallow, _ := r.Shallow(ctx); shallow {
			return "", fmt.Errorf("revision %q is not here: this clone is shallow; fetch it with `git fetch --unshallow --tags`", rev)
		}
		return "", fmt.Errorf("revision %q does not exist in %s: name a tag, branch or commit that `git rev-parse` knows", rev, r.Root)
	}
	return strings.TrimSpace(out), nil
}

// Shallow reports whether history is cut off.
func (r *Repo) Shallow(ctx context.Context) (bool, error) {
	out, err := run(ctx, r.Root, "rev-parse", "--is-shallow-repository")
	return strings.TrimSpace(out) == "true", err
}

// Head is the commit that At names, by default the one checked out; "" before the first.
func (r *Repo) Head(ctx context.Context) string {
	out, err := run(ctx, r.Root, "rev-parse", "--verify", "--quiet", "--end-of-options", r.at()+"^{commit}")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// NewestTag is the newest tag reachable from At that is not At itself, and its commit; "" when there is none.
func (r *Repo) NewestTag(ctx context.Context) (tag, commit string, err error) {
	head := r.Head(ctx)
	if head == "" {
		return "", "", nil
	}
	out, err := run(ctx, r.Root, "for-each-ref", "--merged="+r.at(), "--sort=-version:refname", "--sort=-creatordate",
		"--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(objecttype)%00%(*objecttype)%00%(creatordate:unix)", "refs/tags")
	if err != nil {
		return "", "", err
	}
	date := ""
	var names, ids []string // tags of the newest second
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\x00")
		if len(f) != 6 {
			continue
		}
		id, typ := f[1], f[3]
		if f[2] != "" {
			id, typ = f[2], f[4]
		}
		if typ != "commit" || id == head {
			continue
		}
		if len(ids) > 0 && f[5] != date {
			break
		}
		date = f[5]
		names, ids = append(names, f[0]), append(ids, id)
	}
	if len(ids) == 0 {
		return "", "", nil
	}
	if len(ids) > 1 {
		// Of tags made within a second, the newest is one that no other contains.
		out, err := run(ctx, r.Root, append([]string{"merge-base", "--independent"}, ids...)...)
		if err != nil {
			return "", "", err
		}
		for i, id := range ids {
			if strings.Contains(out, id) {
				return names[i], id, nil
			}
		}
	}
	return names[0], ids[0], nil
}

// MergeBase is the merge base of At with the default branch, and that branch's name; "" when there is no other branch
// to compare with.
func (r *Repo) MergeBase(ctx context.Context) (branch, commit string, err error) {
	candidates := []string{"origin/main", "origin/master", "main", "master"}
	if out, err := run(ctx, r.Root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"); err == nil {
		candidates = append([]string{strings.TrimSpace(out)}, candidates...)
	}
	for _, b := range candidates {
		if _, err := run(ctx, r.Root, "rev-parse", "--verify", "--quiet", b+"^{commit}"); err != nil {
			continue
		}
		out, err := run(ctx, r.Root, "merge-base", b, r.at())
		if err != nil {
			continue
		}
		return b, strings.TrimSpace(out), nil
	}
	return "", "", nil
}

// Added is the oldest commit that added the file at a path (relative to Root), and its first parent ("" for a root
// commit). Both are "" when no commit did, or it lies beyond a shallow clone's edge.
func (r *Repo) Added(ctx context.Context, path string) (commit, parent string, err error) {
	out, err := run(ctx, r.Root, "log", "--diff-filter=A", "--no-renames", "--format=%H %P", r.at(), "--", path)
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	f := strings.Fields(lines[len(lines)-1])
	if len(f) > 0 {
		commit = f[0]
	}
	if len(f) > 1 {
		parent = f[1]
	}
	return commit, parent, nil
}

// Changed lists the files that a commit changes against its first parent, or with "" those that differ from HEAD and are
// not committed, ignored ones apart; by path relative to Root, sorted.
func (r *Repo) Changed(ctx context.Context, commit string) ([]string, error) {
	var lists []string
	if commit == "" {
		tracked, err := run(ctx, r.Root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "HEAD")
		if err != nil {
			return nil, err
		}
		others, err := run(ctx, r.Root, "ls-files", "--others", "--exclude-standard", "-z")
		if err != nil {
			return nil, err
		}
		lists = []string{tracked, others}
	} else {
		out, err := run(ctx, r.Root, "show", "--first-parent", "-m", "--name-only", "--no-renames", "--no-ext-diff", "--format=", "-z", commit)
		if err != nil {
			return nil, err
		}
		lists = []string{out}
	}
	var files []string
	for _, list := range lists {
		for _, name := range strings.Split(list, "\x00") {
			if name = strings.TrimSpace(name); name != "" {
				files = append(files, name)
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
