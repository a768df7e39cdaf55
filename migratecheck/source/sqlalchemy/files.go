package sqlalchemy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/alembic"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// maxFile bounds the files that are read, in bytes: what is longer was not written by hand.
const maxFile = 4 << 20

// files lists the Python files of a service below root, in order, with what could not be read.
func files(fsys fs.FS, root string) ([]python.File, []Gap, error) {
	var out []python.File
	var gaps []Gap
	err := fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if name == root {
				return err
			}
			gaps = append(gaps, unread(name, err))
			return nil
		}
		if entry.IsDir() {
			if name != root && skippedDir(fsys, name) {
				return fs.SkipDir
			}
			return nil
		}
		base := path.Base(name)
		ext := path.Ext(base)
		if !entry.Type().IsRegular() || ext != ".py" && isExtension(ext) || isTest(base) {
			return nil
		}
		text, python3, err := readFile(fsys, name, ext == ".py")
		if err != nil {
			gaps = append(gaps, unread(name, err))
			return nil
		}
		if !python3 || alembic.LooksLikeRevision(name, text) || base == "env.py" && strings.Contains(text, "alembic") {
			return nil
		}
		out = append(out, python.File{Path: name, Text: text})
		return nil
	})
	slices.SortFunc(out, func(a, b python.File) int { return strings.Compare(a.Path, b.Path) })
	return out, gaps, err
}

func unread(name string, err error) Gap {
	return Gap{Pos: query.Position{File: name, Line: 1, Column: 1}, Reason: fmt.Sprintf("the file cannot be read: %v", err)}
}

// skippedDir reports whether nothing below a directory is part of what is deployed: hidden directories, packages of other
// people, virtual environments (pyvenv.cfg; Python's documentation, module venv), and tests.
func skippedDir(fsys fs.FS, name string) bool {
	switch base := path.Base(name); base {
	case "node_modules", "__pycache__", "site-packages", "tests", "test", "testdata", "vendor":
		return true
	default:
		if strings.HasPrefix(base, ".") || strings.HasSuffix(base, ".egg-info") {
			return true
		}
	}
	_, err := fs.Stat(fsys, path.Join(name, "pyvenv.cfg"))
	return err == nil
}

// isExtension reports whether what stands behind a name's last dot says what is in the file; in git.sr.ht-periodic it does not.
func isExtension(ext string) bool {
	return ext != "" && !strings.ContainsFunc(ext[1:], func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	})
}

// isTest reports whether pytest or unittest would take a file for a test, by its name.
func isTest(base string) bool {
	return base == "conftest.py" || base == "tests.py" || strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py")
}

// readFile reads a file; ok is false for a file without .py that no #! line says to be Python, of which only the beginning
// is read.
func readFile(fsys fs.FS, name string, isPython bool) (text string, ok bool, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	var all bytes.Buffer
	if !isPython {
		head := make([]byte, 128)
		n, err := io.ReadFull(f, head)
		if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
			return "", false, err
		}
		line, _, _ := bytes.Cut(head[:n], []byte("\n"))
		if !bytes.HasPrefix(line, []byte("#!")) || !bytes.Contains(line, []byte("python")) {
			return "", false, nil
		}
		all.Write(head[:n])
	}
	if _, err := io.Copy(&all, io.LimitReader(f, maxFile+1)); err != nil {
		return "", false, err
	}
	if all.Len() > maxFile {
		return "", false, fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	if !utf8.Valid(all.Bytes()) {
		return "", false, errors.New("it is not in UTF-8")
	}
	return all.String(), true, nil
}
