package pgserver

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// DefaultVersion is the major version that is taken when none is asked for and it is installed: Debian 12's, and the one
// that srhtvet assumes unless told otherwise.
const DefaultVersion = 15

// Installation is a directory of PostgreSQL server programs.
type Installation struct {
	Bin     string
	Version string // as the server prints it, such as "15.18"
	Major   int
}

// BinDirsVariable names the environment variable that lists further directories of server programs.
const BinDirsVariable = "HA_PG_BINDIRS"

// Finder looks for installations. It remembers those it has seen, since seeing one means to run a program. The zero value
// is ready, and may be used by several goroutines at once.
type Finder struct {
	inspected sync.Map // from a directory to the Installation in it
}

// Versions lists the major versions that are installed and that the current user can run, in ascending order. It is
// empty where there is no PostgreSQL.
func (f *Finder) Versions() []int {
	found, _ := f.installed()
	return slices.Sorted(maps.Keys(found))
}

// Find returns the installation for a major version; zero means DefaultVersion when it is installed, else the newest.
func (f *Finder) Find(major int) (Installation, error) {
	found, unusable := f.installed()
	if major == 0 {
		major = DefaultVersion
		if _, ok := found[major]; !ok && len(found) > 0 {
			major = slices.Max(slices.Collect(maps.Keys(found)))
		}
	}
	if inst, ok := found[major]; ok {
		return inst, nil
	}
	err := fmt.Errorf("no PostgreSQL %d server programs (initdb, postgres) in $%s, under /usr/lib/postgresql, on PATH or in %s",
		major, BinDirsVariable, CacheDir())
	return Installation{}, errors.Join(append([]error{err}, unusable...)...)
}

// CacheDir is where "make postgres-versions" keeps the major versions that the system does not package, a directory
// each. Root's is not below its home directory, which the user that root's servers run as may not enter.
func CacheDir() string {
	base := os.Getenv("XDG_CACHE_HOME")
	switch {
	case base != "":
	case os.Geteuid() == 0:
		base = "/var/cache"
	default:
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "ha-go", "postgres")
}

// installed returns the first usable installation of each major version, and why others are not usable.
func (f *Finder) installed() (map[int]Installation, []error) {
	found := map[int]Installation{}
	var unusable []error
	for _, bin := range binDirs() {
		inst, err := f.inspect(bin)
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				unusable = append(unusable, err)
			}
			continue
		}
		if _, ok := found[inst.Major]; !ok {
			found[inst.Major] = inst
		}
	}
	return found, unusable
}

func binDirs() []string {
	dirs := filepath.SplitList(os.Getenv(BinDirsVariable))
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed, the only error there is
	dirs = append(dirs, debian...)
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	cached, _ := filepath.Glob(filepath.Join(CacheDir(), "*", "bin")) // likewise
	return append(dirs, cached...)
}

// inspect is the function of that name, asked once per directory where it finds an installation.
func (f *Finder) inspect(bin string) (Installation, error) {
	if inst, ok := f.inspected.Load(bin); ok {
		return inst.(Installation), nil
	}
	inst, err := inspect(bin)
	if err == nil {
		f.inspected.Store(bin, inst)
	}
	return inst, err
}

// versionLine is what "postgres --version" prints; packagers may add words after the number.
func versionLine() *regexp.Regexp { return regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`) }

func inspect(bin string) (Installation, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			return Installation{}, err
		}
	}
	owner, err := serverAccount()
	if err != nil {
		return Installation{}, err
	}
	if err := owner.canEnter(bin); err != nil {
		return Installation{}, err
	}
	postgres := filepath.Join(bin, "postgres")
	out, err := exec.Command(postgres, "--version").Output()
	if err != nil {
		return Installation{}, fmt.Errorf("asking %s for its version: %w", postgres, err)
	}
	m := versionLine().FindStringSubmatch(string(out))
	if m == nil {
		return Installation{}, fmt.Errorf("asking %s for its version: unexpected answer %q", postgres, strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(m[2])
	if err != nil {
		return Installation{}, fmt.Errorf("asking %s for its version: %w", postgres, err)
	}
	return Installation{Bin: bin, Version: m[1], Major: major}, nil
}
