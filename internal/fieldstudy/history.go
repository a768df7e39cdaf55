package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// history is a clone in which commits can be made.
type history struct{ dir string }

// pair is two revisions, the older first.
type pair struct{ old, new, title string }

// openHistory clones a repository. Of the files only those are checked out that say where modules are: both revisions are
// always named, and a mirror may lack large files.
func openHistory(ctx context.Context, repository, dir, below string) (*history, error) {
	h := &history{dir}
	if _, err := git(ctx, ".", nil, "clone", "-q", "--shared", "--no-checkout", repository, dir); err != nil {
		return nil, err
	}
	files, err := git(ctx, dir, nil, "ls-tree", "-r", "--name-only", "HEAD")
	if err != nil {
		return nil, err
	}
	for _, file := range strings.Split(files, "\n") {
		switch path.Base(file) {
		case "go.mod", "go.work", ".srhtvet.toml":
			if _, err := git(ctx, dir, nil, "checkout", "-q", "HEAD", "--", file); err != nil {
				return nil, err
			}
		}
	}
	return h, os.MkdirAll(filepath.Join(dir, filepath.FromSlash(below)), 0o755)
}

// git runs git in a directory and returns what it prints, without the last line's end.
func git(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=fieldstudy", "GIT_AUTHOR_EMAIL=fieldstudy@localhost",
		"GIT_COMMITTER_NAME=fieldstudy", "GIT_COMMITTER_EMAIL=fieldstudy@localhost")
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// pairs lists what is to be compared, the oldest first.
func (h *history) pairs(ctx context.Context, cfg config) ([]pair, error) {
	var list []pair
	if len(cfg.pairs) > 0 {
		for _, text := range cfg.pairs {
			old, new, ok := strings.Cut(text, "..")
			if !ok || old == "" || new == "" {
				return nil, fmt.Errorf("%q is no pair of revisions: OLD..NEW", text)
			}
			list = append(list, pair{old, new, ""})
		}
		return list, nil
	}
	if cfg.tags != "" {
		out, err := git(ctx, h.dir, nil, "tag", "--list", cfg.tags, "--sort=version:refname")
		if err != nil {
			return nil, err
		}
		tags := strings.Fields(out)
		for i, tag := range tags {
			if tag == cfg.since {
				list = nil
			}
			if i+1 < len(tags) {
				list = append(list, pair{tag, tags[i+1], ""})
			}
		}
		return list, nil
	}
	args := []string{"log", "--reverse", "--no-merges", "--format=%h%x09%p%x09%s"}
	if cfg.since != "" {
		args = append(args, cfg.since+"..HEAD")
	}
	// What a directory of migrations is called; -tags and explicit pairs do without.
	args = append(args, "--", ":(glob)**/*migrations*/**", ":(glob)**/alembic/versions/**")
	out, err := git(ctx, h.dir, nil, args...)
	if err != nil || out == "" {
		return nil, err
	}
	for _, line := range strings.Split(out, "\n") {
		f := strings.SplitN(line, "\t", 3)
		if f[1] == "" {
			continue // the first commit has nothing before it
		}
		list = append(list, pair{f[1], f[0], f[2]})
	}
	return list, nil
}

// with makes a commit of the old revision to which some of the new one's files are added, and returns its name.
func (h *history) with(ctx context.Context, p pair, files []string) (string, error) {
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(h.dir, ".git", "fieldstudy-index")}
	if _, err := git(ctx, h.dir, index, "read-tree", p.old); err != nil {
		return "", err
	}
	for _, file := range files {
		entry, err := git(ctx, h.dir, nil, "ls-tree", p.new, "--", file)
		if err != nil {
			return "", err
		}
		f := strings.Fields(entry) // mode, kind, object, path
		if len(f) < 4 {
			return "", fmt.Errorf("%s has no file %s", p.new, file)
		}
		if _, err := git(ctx, h.dir, index, "update-index", "--add", "--cacheinfo", f[0]+","+f[2]+","+file); err != nil {
			return "", err
		}
	}
	tree, err := git(ctx, h.dir, index, "write-tree")
	if err != nil {
		return "", err
	}
	return git(ctx, h.dir, nil, "commit-tree", tree, "-p", p.old, "-m", "with "+path.Base(files[len(files)-1]))
}
