package settings

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Bar says which findings in Go code are reported.
type Bar struct {
	Severity migratecheck.Severity // the lowest; 0 is Warning
	Disable  []string              // checks and analyzers; what is enabled for certain is not among them
}

// Reports reports whether the findings of a check are to be seen.
func (b *Bar) Reports(c gochecks.Check) bool {
	bar := b.Severity
	if bar == 0 {
		bar = migratecheck.Warning
	}
	named := func(list []string) bool { return slices.Contains(list, c.ID) || slices.Contains(list, c.Analyzer) }
	return c.Severity >= bar && !named(b.Disable)
}

// Bar is what the settings found from dir up to top say, overridden by the flags. What is wrong with the settings is said by
// [Flags.Config]; here they are then as if they were not there.
func (f *Flags) Bar(dir, top string) Bar {
	var b Bar
	name := f.config
	if name == "" {
		name = Find(dir, top)
	}
	if name != "" {
		if s, err := Load(name); err == nil {
			b = Bar{Disable: s.Disable}
			b.Severity, _ = migratecheck.ParseSeverity(s.Severity)
		}
	}
	if s := f.Severity(); s != 0 {
		b.Severity = s
	}
	enable := splitList(f.enable)
	b.Disable = slices.DeleteFunc(slices.Clone(b.Disable), func(s string) bool { return slices.Contains(enable, s) })
	b.Disable = append(b.Disable, splitList(f.disable)...)
	return b
}

// ofMigrations leaves of the names of rules and categories those that are about migrations.
func ofMigrations(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool {
		if slices.ContainsFunc(migratecheck.Rules(), func(r *migratecheck.Rule) bool { return r.ID == s }) {
			return false // suppression comments are in both
		}
		return slices.ContainsFunc(gochecks.All(), func(c gochecks.Check) bool { return s == c.ID || s == c.Analyzer })
	})
}
