package pgtest

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
)

// installation is a directory of PostgreSQL server programs.
type installation struct {
	bin     string
	version string // as the server prints it, such as "15.18"
	major   int
}

// BinDirsVariable names the environment variable that lists further directories of server programs.
const BinDirsVariable = "HA_PG_BINDIRS"

// Versions lists the major versions that are installed and that the current user can run, in ascending order. Tests
// that hold for every version range over it; it is empty where there is no PostgreSQL.
func Versions() []int {
	found, _ := installed()
	return slices.Sorted(maps.Keys(found))
}

// find returns the installation for a major version; zero means DefaultVersion or the newest.
func find(major int) (installation, error) {
	found, unusable := installed()
	if major == 0 {
		major = DefaultVersion
		if _, ok := found[major]; !ok && len(found) > 0 {
			major = slices.Max(slices.Collect(maps.Keys(found)))
		}
	}
	if inst, ok := found[major]; ok {
		return inst, nil
	}
	err := fmt.Errorf("no PostgreSQL %d server programs (initdb, postgres) in $%s, under /usr/lib/postgresql, on PATH or in %s (make test installs Debian's, make postgres-versions the others)",
		major, BinDirsVariable, CacheDir())
	return installation{}, errors.Join(append([]error{err}, unusable...)...)
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
func installed() (map[int]installation, []error) {
	found := map[int]installation{}
	var unusable []error
	for _, bin := range binDirs() {
		inst, err := running.inspect(bin)
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				unusable = append(unusable, err)
			}
			continue
		}
		if _, ok := found[inst.major]; !ok {
			found[inst.major] = inst
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

// inspect is the function of that name, asked once per directory where it finds an installation: it runs a program, and
// a package may have a thousand tests.
func (r *registry) inspect(bin string) (installation, error) {
	if inst, ok := r.inspected.Load(bin); ok {
		return inst.(installation), nil
	}
	inst, err := inspect(bin)
	if err == nil {
		r.inspected.Store(bin, inst)
	}
	return inst, err
}

// versionLine is what "postgres --version" prints; packagers may add words after the number.
func versionLine() *regexp.Regexp { return regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`) }

func inspect(bin string) (installation, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			return installation{}, err
		}
	}
	owner, err := serverAccount()
	if err != nil {
		return installation{}, err
	}
	if err := owner.canEnter(bin); err != nil {
		return installation{}, err
	}
	postgres := filepath.Join(bin, "postgres")
	out, err := exec.Command(postgres, "--version").Output()
	if err != nil {
		return installation{}, fmt.Errorf("asking %s for its version: %w", postgres, err)
	}
	m := versionLine().FindStringSubmatch(string(out))
	if m == nil {
		return installation{}, fmt.Errorf("asking %s for its version: unexpected answer %q", postgres, strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(m[2])
	if err != nil {
		return installation{}, fmt.Errorf("asking %s for its version: %w", postgres, err)
	}
	return installation{bin: bin, version: m[1], major: major}, nil
}
