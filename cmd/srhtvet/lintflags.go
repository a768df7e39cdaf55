package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/report"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// output are the flags of commands that print findings.
type output struct {
	format, color string
	quiet         bool
}

func (o *output) register(fs *flag.FlagSet) {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	fs.StringVar(&o.format, "format", "text", "print findings as `NAME`: "+strings.Join(names, ", "))
	fs.StringVar(&o.color, "color", "auto", "colour the text, `WHEN`: auto (on a terminal, unless NO_COLOR is set), always, never")
	fs.BoolVar(&o.quiet, "q", false, "print findings and errors only")
}

// check looks the format up, and says whether text is to be coloured.
func (o *output) check(t *terminal) (report.Format, bool, error) {
	format, err := report.Lookup(o.format)
	if err != nil {
		return format, false, err
	}
	switch o.color {
	case "always":
		return format, true, nil
	case "never":
		return format, false, nil
	case "auto":
		// no-color.org: any value but the empty one.
		return format, t.getenv("NO_COLOR") == "" && t.getenv("TERM") != "dumb" && isTerminal(t.stdout), nil
	}
	return format, false, fmt.Errorf("unknown -color %q: use auto, always or never", o.color)
}

// isTerminal reports whether w is a character device, which a pipe and a file are not.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// judging are the flags that say what is judged and how.
type judging struct {
	severity, enable, disable, stats, schema, source, since, base, config string
	pg                                                                    int
	all                                                                   bool
}

func (j *judging) register(fs *flag.FlagSet) {
	fs.StringVar(&j.severity, "severity", "", "report findings from this `LEVEL` on: info, warning, error (default warning)")
	fs.StringVar(&j.enable, "enable", "", "switch on these comma-separated `RULES` or categories (hygiene)")
	fs.StringVar(&j.disable, "disable", "", "switch off these comma-separated `RULES` or categories")
	fs.IntVar(&j.pg, "pg", 0, "the major `VERSION` of PostgreSQL, 12 to 17 (default 15)")
	fs.StringVar(&j.stats, "stats", "", "read the sizes of tables from this `FILE` (see srhtvet stats)")
	fs.StringVar(&j.schema, "schema", "", "start from the schema in this `FILE` instead of looking for one")
	fs.StringVar(&j.source, "source", "", "read the files as this `TOOL` does (default: detected)")
	fs.StringVar(&j.since, "since", "", "judge what comes after this migration `VERSION`")
	fs.StringVar(&j.base, "base", "", "judge what this git `REVISION` does not have")
	fs.BoolVar(&j.all, "all", false, "judge every migration, not only those that are not released")
	fs.StringVar(&j.config, "config", "", "read settings from this `FILE` (default: the nearest "+settings.Name+" up to the module's root)")
}

// Config is the configuration for the migrations in dir: settings, overridden by flags. Files named by flags are relative
// to the current directory.
func (j *judging) Config(dir, top string) (migratecheck.Config, error) {
	var cfg migratecheck.Config
	name := j.config
	if name == "" {
		name = settings.Find(dir, top)
	}
	if name != "" {
		s, err := settings.Load(name)
		if err != nil {
			return cfg, err
		}
		// What a flag replaces need not exist.
		if j.stats != "" {
			s.Stats = ""
		}
		if j.schema != "" {
			s.Schema = ""
		}
		if cfg, err = s.Config(); err != nil {
			return cfg, err
		}
	}
	return cfg, j.override(&cfg)
}

func (j *judging) override(cfg *migratecheck.Config) error {
	var errs []error
	note := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("-%s: %w", name, err))
		}
	}
	var err error
	if j.severity != "" {
		cfg.Severity, err = migratecheck.ParseSeverity(j.severity)
		note("severity", err)
	}
	// A rule named on the command line is on, or off, whatever the settings say of it.
	if list := splitList(j.enable); len(list) > 0 {
		note("enable", settings.CheckRules(list))
		cfg.Enable, cfg.Disable = append(cfg.Enable, list...), without(cfg.Disable, list)
	}
	if list := splitList(j.disable); len(list) > 0 {
		note("disable", settings.CheckRules(list))
		cfg.Disable = append(cfg.Disable, list...)
	}
	if j.pg != 0 {
		cfg.Version = j.pg
		note("pg", settings.CheckVersion(j.pg))
	}
	if j.stats != "" {
		cfg.Stats, err = settings.ReadStats(j.stats)
		note("stats", err)
	}
	if j.schema != "" {
		cfg.Schema = j.schema
		if abs, err := filepath.Abs(j.schema); err == nil {
			cfg.Schema = abs
		}
		if _, err := os.ReadFile(cfg.Schema); err != nil {
			note("schema", err)
		}
	}
	if j.source != "" {
		cfg.Format = j.source
		note("source", settings.CheckSource(j.source))
	}
	if j.since != "" && j.base != "" {
		errs = append(errs, errors.New("-since and -base exclude each other: give one"))
	} else if j.since != "" {
		cfg.Since, cfg.Base = j.since, ""
	} else if j.base != "" {
		cfg.Base, cfg.Since = j.base, ""
	}
	cfg.All = j.all
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

func without(list, gone []string) []string {
	var kept []string
	for _, s := range list {
		found := false
		for _, g := range gone {
			found = found || s == g
		}
		if !found {
			kept = append(kept, s)
		}
	}
	return kept
}
