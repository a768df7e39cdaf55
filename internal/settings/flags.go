package settings

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Flags say on a command line what is judged and how. Those not given leave the settings alone.
type Flags struct {
	// Prefix is what stands before the names in error messages: "migrations." for the analyzer of that name.
	Prefix string

	severity, enable, disable, stats, schema, source, since, base, config string
	pg                                                                    int
	all                                                                   bool
}

// Register adds the flags to a set: the same ones, with the same texts, to every command that judges migrations.
func (f *Flags) Register(fs *flag.FlagSet) {
	f.RegisterBar(fs)
	fs.IntVar(&f.pg, "pg", 0, "the major `VERSION` of PostgreSQL, 12 to 18 (default 15)")
	fs.StringVar(&f.stats, "stats", "", "read the sizes of tables from this `FILE` (see srhtvet stats)")
	fs.StringVar(&f.schema, "schema", "", "start from the schema in this `FILE` instead of looking for one")
	fs.StringVar(&f.source, "source", "", "read the files as this `TOOL` does (default: detected)")
	fs.StringVar(&f.since, "since", "", "judge what comes after this migration `VERSION`")
	fs.StringVar(&f.base, "base", "", "judge what this git `REVISION` does not have")
	fs.BoolVar(&f.all, "all", false, "judge every migration, not only those that are not released")
	fs.StringVar(&f.config, "config", "", "read settings from this `FILE` (default: the nearest "+Name+" up to the module's root)")
}

// RegisterBar adds the flags that say which findings are reported: those that hold for Go code as well.
func (f *Flags) RegisterBar(fs *flag.FlagSet) {
	fs.StringVar(&f.severity, "severity", "", "report findings from this `LEVEL` on: info, warning, error (default warning)")
	fs.StringVar(&f.enable, "enable", "", "switch on these comma-separated `RULES` or categories (hygiene)")
	fs.StringVar(&f.disable, "disable", "", "switch off these comma-separated `RULES` or categories")
}

// IsReference reports whether the value of a flag names something that can change while the value does not: a file or a
// revision. The go command keeps what a vettool said for as long as the flags are the same, and does not pass them when it
// asks what else the tool looks at, so that a vettool must not have such flags: the settings name these things there.
func IsReference(flagName string) bool {
	return slices.Contains([]string{"stats", "schema", "base", "config"}, flagName)
}

// Severity is the bar that the command line names, 0 for none.
func (f *Flags) Severity() migratecheck.Severity {
	s, err := migratecheck.ParseSeverity(f.severity)
	if err != nil {
		return 0
	}
	return s
}

// Check says what is wrong with the flags by themselves.
func (f *Flags) Check() error {
	if f.config != "" {
		if _, err := Load(f.config); err != nil {
			return err
		}
	}
	return f.override(new(migratecheck.Config))
}

// Config is the configuration for the migrations in dir: the settings found from there up to top, overridden by the flags.
// Files named by flags are relative to the current directory.
func (f *Flags) Config(dir, top string) (migratecheck.Config, error) {
	var cfg migratecheck.Config
	name := f.config
	if name == "" {
		name = Find(dir, top)
	}
	if name != "" {
		s, err := Load(name)
		if err != nil {
			return cfg, err
		}
		// What a flag replaces need not exist.
		if f.stats != "" {
			s.Stats = ""
		}
		if f.schema != "" {
			s.Schema = ""
		}
		if cfg, err = s.Config(); err != nil {
			return cfg, err
		}
	}
	return cfg, f.override(&cfg)
}

func (f *Flags) override(cfg *migratecheck.Config) error {
	var errs []error
	note := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("-%s%s: %w", f.Prefix, name, err))
		}
	}
	var err error
	if f.severity != "" {
		cfg.Severity, err = migratecheck.ParseSeverity(f.severity)
		note("severity", err)
	}
	// A rule named on the command line is on, or off, whatever the settings say of it.
	if list := splitList(f.enable); len(list) > 0 {
		note("enable", CheckRules(list))
		cfg.Enable = append(cfg.Enable, ofMigrations(list)...)
		cfg.Disable = slices.DeleteFunc(slices.Clone(cfg.Disable), func(s string) bool { return slices.Contains(list, s) })
	}
	if list := splitList(f.disable); len(list) > 0 {
		note("disable", CheckRules(list))
		cfg.Disable = append(cfg.Disable, ofMigrations(list)...)
	}
	if f.pg != 0 {
		cfg.Version = f.pg
		note("pg", CheckVersion(f.pg))
	}
	if f.stats != "" {
		cfg.Stats, err = ReadStats(f.stats)
		note("stats", err)
	}
	if f.schema != "" {
		cfg.Schema = f.schema
		if abs, err := filepath.Abs(f.schema); err == nil {
			cfg.Schema = abs
		}
		note("schema", readable(f.schema))
	}
	if f.source != "" {
		cfg.Format = f.source
		note("source", CheckSource(f.source))
	}
	if f.since != "" && f.base != "" {
		errs = append(errs, fmt.Errorf("-%[1]ssince and -%[1]sbase exclude each other: give one", f.Prefix))
	} else if f.since != "" {
		cfg.Since, cfg.Base = f.since, ""
	} else if f.base != "" {
		cfg.Base, cfg.Since = f.base, ""
	}
	cfg.All = f.all
	return errors.Join(errs...)
}

func splitList(s string) []string {
	var list []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
