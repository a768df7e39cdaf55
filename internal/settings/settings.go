// Package settings reads .srhtvet.toml, the optional file at the root of a module that says how its migrations are
// judged. Everything in it can be overridden on the command line.
package settings

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Name is what the file is called.
const Name = ".srhtvet.toml"

// Settings are what the file can say. The zero value is that of an absent file.
type Settings struct {
	// File is where the settings were read from, "" for none. Schema and Stats are relative to its directory.
	File string `toml:"-"`

	Severity string   `toml:"severity"` // the lowest that is reported: info, warning (the default), error
	Enable   []string `toml:"enable"`   // rules or categories
	Disable  []string `toml:"disable"`
	PG       int      `toml:"pg"`     // major version of PostgreSQL
	Schema   string   `toml:"schema"` // a file: the schema before the first migration
	Stats    string   `toml:"stats"`  // a file: sizes of tables
	Base     string   `toml:"base"`   // a git revision: its migrations are released
	Since    string   `toml:"since"`  // a version: migrations up to it are released
	Source   string   `toml:"source"` // the migration tool
	Order    string   `toml:"order"`  // of a release: any (the default), or migrate-first
	// PgBouncer is the oldest version of PgBouncer that the code runs behind, pooling by transaction: "1.20"; "" for not known.
	PgBouncer string `toml:"pgbouncer"`
}

// keys are the names above.
func keys() []string {
	return []string{"severity", "enable", "disable", "pg", "schema", "stats", "base", "since", "source", "order", "pgbouncer"}
}

// Find returns the path of the settings that hold for dir: of the nearest Name in dir or above it, no further up than
// top. It is "" when there is none.
func Find(dir, top string) string {
	for {
		name := filepath.Join(dir, Name)
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			return name
		}
		up := filepath.Dir(dir)
		if dir == top || up == dir {
			return ""
		}
		dir = up
	}
}

// Load reads a file. The error names the file, the line and the key.
func Load(name string) (*Settings, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("reading the settings in %s: %w", name, err)
	}
	s := &Settings{File: name}
	meta, err := toml.Decode(string(data), s)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("%s:%d: %s", name, pe.Position.Line, strings.TrimPrefix(pe.Message, "toml: "))
		}
		// The decoder gives a wrong type no position of its own, but says it: "line 2 (last key "pg"): …".
		text := strings.TrimPrefix(err.Error(), "toml: ")
		if rest, ok := strings.CutPrefix(text, "line "); ok {
			if line, rest, ok := strings.Cut(rest, " "); ok {
				return nil, fmt.Errorf("%s:%s: %s", name, line, rest)
			}
		}
		return nil, fmt.Errorf("%s: %s", name, text)
	}
	at := func(key string) string { return fmt.Sprintf("%s:%d", name, lineOf(string(data), key)) }
	var errs []error
	unknown := map[string]bool{}
	for _, key := range meta.Undecoded() {
		k := key[0] // of a table, its name alone: all that it holds is as unknown
		if unknown[k] {
			continue
		}
		unknown[k] = true
		errs = append(errs, fmt.Errorf("%s: unknown key %q%s", at(k), k, spell.Suggest(k, keys(), "there are "+strings.Join(keys(), ", "))))
	}
	note := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", at(key), key, err))
		}
	}
	if s.Severity != "" {
		_, err := migratecheck.ParseSeverity(s.Severity)
		note("severity", err)
	}
	note("enable", CheckRules(s.Enable))
	note("disable", CheckRules(s.Disable))
	if meta.IsDefined("pg") {
		note("pg", CheckVersion(s.PG))
	}
	note("source", CheckSource(s.Source))
	if s.Order != "" && s.Order != "migrate-first" && s.Order != "any" {
		note("order", fmt.Errorf("unknown order %q: use any or migrate-first", s.Order))
	}
	if meta.IsDefined("pgbouncer") {
		note("pgbouncer", CheckPgBouncer(s.PgBouncer))
	}
	if s.Base != "" && s.Since != "" {
		note("since", errors.New("base and since exclude each other: give one"))
	}
	return s, errors.Join(errs...)
}

// lineOf finds a key of the top level, or the table of that name.
func lineOf(text, key string) int {
	sc := bufio.NewScanner(strings.NewReader(text))
	sc.Buffer(nil, len(text)+1)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimLeft(sc.Text(), " \t[")
		line = strings.TrimLeft(line, `"'`)
		if rest, ok := strings.CutPrefix(line, key); ok {
			if rest = strings.TrimLeft(rest, "\"' \t"); strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, "]") || strings.HasPrefix(rest, ".") {
				return n
			}
		}
	}
	return 1
}

// CheckRules says which of the names are neither a rule nor a category.
func CheckRules(names []string) error {
	var known []string
	for _, r := range migratecheck.Rules() {
		known = append(known, r.ID)
		if c := string(r.Category); !slices.Contains(known, c) {
			known = append(known, c)
		}
	}
	if c := string(migratecheck.Hygiene); !slices.Contains(known, c) {
		known = append(known, c)
	}
	for _, c := range gochecks.All() {
		known = append(known, c.ID)
		if !slices.Contains(known, c.Analyzer) {
			known = append(known, c.Analyzer)
		}
	}
	var errs []error
	for _, name := range names {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("no rule or category is called %q%s", name, spell.Suggest(name, known, "`srhtvet rules` lists them")))
		}
	}
	return errors.Join(errs...)
}

// CheckPgBouncer says what is wrong with a version of PgBouncer.
func CheckPgBouncer(version string) error {
	if _, ok := bouncerMinor(version); !ok {
		return fmt.Errorf("%q is not a version of PgBouncer: use one like \"1.20\"", version)
	}
	return nil
}

// BouncerMinor is the minor version of PgBouncer, 20 of "1.20.1"; ok is false when the settings name none.
func (s *Settings) BouncerMinor() (minor int, ok bool) { return bouncerMinor(s.PgBouncer) }

func bouncerMinor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "1.")
	minor, patch, patched := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	if patched {
		_, errPatch := strconv.Atoi(patch)
		err = errors.Join(err, errPatch)
	}
	return n, ok && err == nil && n >= 0
}

// CheckVersion says when a major version of PostgreSQL is not known.
func CheckVersion(major int) error {
	if major < 12 || major > 18 {
		return fmt.Errorf("PostgreSQL %d is not known here: use 12 to 18", major)
	}
	return nil
}

// CheckSource says when no migration tool has that name; "" is none.
func CheckSource(name string) error {
	if name == "" {
		return nil
	}
	var names []string
	for _, f := range source.Formats() {
		names = append(names, f.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("unknown migration format %q; there are %s%s", name, strings.Join(names, ", "), spell.DidYouMean(name, names))
}

// path resolves a file named in the settings.
func (s *Settings) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	name = filepath.Join(filepath.Dir(s.File), filepath.FromSlash(name))
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// Names are the files that the settings name.
func (s *Settings) Names() []string {
	var list []string
	for _, name := range []string{s.Schema, s.Stats} {
		if name != "" {
			list = append(list, s.path(name))
		}
	}
	return list
}

// Config is the configuration that the settings describe. The statistics are read.
func (s *Settings) Config() (migratecheck.Config, error) {
	cfg := migratecheck.Config{
		Version: s.PG, Enable: ofMigrations(s.Enable), Disable: ofMigrations(s.Disable), Base: s.Base, Since: s.Since, Format: s.Source, Schema: s.path(s.Schema),
	}
	if s.Severity != "" {
		var err error
		if cfg.Severity, err = migratecheck.ParseSeverity(s.Severity); err != nil {
			return cfg, err
		}
	}
	if s.Schema != "" {
		if err := readable(cfg.Schema); err != nil {
			return cfg, fmt.Errorf("%s: schema: %w", s.File, err)
		}
	}
	if s.Stats != "" {
		stats, err := ReadStats(s.path(s.Stats))
		if err != nil {
			return cfg, fmt.Errorf("%s: stats: %w", s.File, err)
		}
		cfg.Stats = stats
	}
	return cfg, nil
}

// readable checks a file that is read later, and more than once where there are several directories of migrations.
func readable(name string) error {
	// Before it is opened: opening a pipe waits for who writes to it.
	if info, err := os.Stat(name); err == nil {
		switch {
		case info.IsDir():
			return fmt.Errorf("%s is a directory", name)
		case info.Mode()&fs.ModeNamedPipe != 0:
			return fmt.Errorf("%s is a pipe, which can be read only once: write it to a file first", name)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is no regular file", name)
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return f.Close()
}

// ReadStats reads a file of table sizes.
func ReadStats(name string) (*migratecheck.Stats, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stats, err := migratecheck.ReadStats(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return stats, nil
}
