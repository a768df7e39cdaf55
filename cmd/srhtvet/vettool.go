package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"

	"git.sr.ht/~sourcehut/ha-go/analyzers"
	"git.sr.ht/~sourcehut/ha-go/analyzers/migrations"
	"git.sr.ht/~sourcehut/ha-go/analyzers/sqlquery"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
)

// isVetProtocol recognises the three ways in which the go command calls a vettool (package unitchecker).
func isVetProtocol(args []string) bool {
	if len(args) == 0 {
		return false
	}
	if strings.HasSuffix(args[len(args)-1], ".cfg") && args[0] != "lint" && args[0] != "locks" {
		return true
	}
	return len(args) == 1 && (strings.HasPrefix(strings.TrimLeft(args[0], "-"), "V=") || args[0] == "-flags" || args[0] == "--flags")
}

// vet answers the go command. It does not return.
func vet(args []string) {
	if last := args[len(args)-1]; strings.HasSuffix(last, ".cfg") {
		if factsOnly(last) {
			os.Exit(0)
		}
	} else if strings.TrimLeft(args[0], "-") == "V=full" {
		if err := handshake(os.Stdout); err != nil {
			fmt.Fprintf(os.Stderr, "srhtvet: %v\n", err)
			os.Exit(exitFailed)
		}
		os.Exit(0)
	}
	unitchecker.Main(vetSuite()...)
}

// vetSuite is the suite without the flags whose values name what can change, see settings.IsReference.
func vetSuite() []*analysis.Analyzer {
	suite := analyzers.Suite()
	for _, a := range suite {
		all := a.Flags
		a.Flags = flag.FlagSet{}
		all.VisitAll(func(f *flag.Flag) {
			if !settings.IsReference(f.Name) {
				a.Flags.Var(f.Value, f.Name, f.Usage)
			}
		})
	}
	return suite
}

// handshake answers -V=full: the go command reuses what the tool said about a package as long as this answer, the flags
// and the package's Go files stay the same. So it covers whatever else an analyzer looks at: see migrations.Fingerprint.
// Only a binary that cannot be read is an error; whatever is wrong with the rest is a diagnostic of the analyzers.
func handshake(w io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	h := sha256.New()
	binary := make(chan error, 1)
	binaryHash := sha256.New()
	go func() { binary <- hashBinary(binaryHash, self) }()
	for _, dir := range mainModules() {
		migrations.Fingerprint(context.Background(), h, dir)
	}
	if err := <-binary; err != nil {
		return err
	}
	h.Write(binaryHash.Sum(nil))
	_, err = fmt.Fprintf(w, "%s version devel srhtvet buildID=%02x\n", os.Args[0], h.Sum(nil))
	return err
}

func hashBinary(h hash.Hash, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(h, f)
	return err
}

// mainModules are the directories of the modules that the go command works on: that of GOMOD, those that the workspace
// of GOWORK uses, and the directories that stand in for modules by a replace directive, since they change as well.
// Only the go command knows which (-modfile, GOWORK=off, a workspace above).
func mainModules() []string {
	gomod, gowork := goEnv()
	var list []string
	add := func(dir string) {
		if dir != "" && !slices.Contains(list, dir) {
			list = append(list, dir)
		}
	}
	addReplaced := func(base string, replace []*modfile.Replace) {
		for _, r := range replace {
			if r.New.Version == "" && modfile.IsDirectoryPath(r.New.Path) {
				add(join(base, r.New.Path))
			}
		}
	}
	addModule := func(dir string) {
		add(dir)
		name := filepath.Join(dir, "go.mod")
		if data, err := os.ReadFile(name); err == nil {
			if f, err := modfile.ParseLax(name, data, nil); err == nil {
				addReplaced(dir, f.Replace)
			}
		}
	}
	if gowork != "" {
		if data, err := os.ReadFile(gowork); err == nil {
			if f, err := modfile.ParseWork(gowork, data, nil); err == nil {
				for _, use := range f.Use {
					addModule(join(filepath.Dir(gowork), use.Path))
				}
				addReplaced(filepath.Dir(gowork), f.Replace)
			}
		}
	}
	if gomod != "" {
		addModule(filepath.Dir(gomod))
	}
	slices.Sort(list)
	return list
}

func join(base, dir string) string {
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return filepath.Join(base, filepath.FromSlash(dir))
}

// goEnv asks the go command, which is the one that called, for GOMOD and GOWORK; both are "" for none. It runs no tool
// and downloads nothing for that.
func goEnv() (gomod, gowork string) {
	name := "go"
	if root := os.Getenv("GOROOT"); root != "" {
		if bin := filepath.Join(root, "bin", "go"); isFile(bin) {
			name = bin
		}
	}
	cmd := exec.Command(name, "env", "GOMOD", "GOWORK")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOFLAGS=")
	out, err := cmd.Output()
	lines := strings.Split(string(out), "\n")
	if err != nil || len(lines) < 2 {
		// No go command: somebody else speaks the protocol. The module is then that of the directory.
		if dir, err := os.Getwd(); err == nil {
			for ; ; dir = filepath.Dir(dir) {
				if isFile(filepath.Join(dir, "go.mod")) {
					return filepath.Join(dir, "go.mod"), ""
				}
				if dir == filepath.Dir(dir) {
					break
				}
			}
		}
		return "", ""
	}
	gomod, gowork = strings.TrimSpace(lines[0]), strings.TrimSpace(lines[1])
	if gomod == os.DevNull {
		gomod = ""
	}
	if gowork == "off" {
		gowork = ""
	}
	return gomod, gowork
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// factsOnly answers a unit that is asked for facts alone, i.e. a dependency, and has none: without parsing and type-checking
// it. Facts do not depend on migrations, so that a changed migration leaves what follows from them alone.
func factsOnly(name string) bool {
	data, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	var cfg unitchecker.Config
	if err := json.Unmarshal(data, &cfg); err != nil || !cfg.VetxOnly || cfg.VetxOutput == "" {
		return false
	}
	if slices.ContainsFunc(analyzers.Suite(), hasFacts) && mayHaveFacts(&cfg) {
		return false
	}
	if cfg.Stdout != "" && os.WriteFile(cfg.Stdout, nil, 0o666) != nil {
		return false
	}
	return os.WriteFile(cfg.VetxOutput, nil, 0o666) == nil
}

// mayHaveFacts reports whether a unit can tell those that import it anything. The standard library sends no SQL of its own,
// nor does a module that has nothing to do with databases; the user's own packages are always asked.
func mayHaveFacts(cfg *unitchecker.Config) bool {
	if first, _, _ := strings.Cut(cfg.ImportPath, "/"); cfg.ModulePath == "" && !strings.Contains(first, ".") {
		return false
	}
	if cfg.ModuleVersion == "" {
		return true
	}
	if sqlquery.HasFacts(cfg.ImportPath, slices.Collect(maps.Keys(cfg.ImportMap))) {
		return true
	}
	for _, file := range cfg.PackageVetx {
		if info, err := os.Stat(file); err != nil || info.Size() > 0 {
			return true
		}
	}
	return false
}

func hasFacts(a *analysis.Analyzer) bool {
	return len(a.FactTypes) > 0 || slices.ContainsFunc(a.Requires, hasFacts)
}
