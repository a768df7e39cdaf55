// Package golangci is the plugin that runs the analyzers of Go code in golangci-lint, for those who have it anyway: see
// https://golangci-lint.run/plugins/module-plugins/ and docs/integrations.md.
//
// The analyzers migrations and queries are not part of it: golangci-lint keeps what a linter said for as long as the Go
// files of a package are the same, and these two depend on migrations. go vet -vettool and srhtvet lint run them.
package golangci

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/analyzers"
	"git.sr.ht/~sourcehut/ha-go/internal/settings"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Name is what .golangci.yml calls the linter.
const Name = "srhtvet"

func init() { register.Plugin(Name, New) } // how golangci-lint finds a plugin that it is linked with

// Settings are what .golangci.yml says below linters.settings.custom.srhtvet.settings. The zero value runs everything.
type Settings struct {
	// Severity is the lowest that is reported: info, warning (the default), error.
	Severity string `json:"severity"`
	// Disable names checks and analyzers.
	Disable []string `json:"disable"`
}

// New makes the plugin from what the configuration says. The error names an unknown key, severity or check.
func New(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[Settings](conf)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	var errs []error
	if s.Severity != "" {
		_, err := migratecheck.ParseSeverity(s.Severity)
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, settings.CheckRules(s.Disable))...); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	p := &plugin{}
	for _, a := range analyzers.OfGoCode() {
		if slices.Contains(s.Disable, a.Name) {
			continue
		}
		for flag, value := range map[string]string{"severity": s.Severity, "disable": strings.Join(s.Disable, ",")} {
			if value == "" {
				continue
			}
			if err := a.Flags.Set(flag, value); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", Name, flag, err)
			}
		}
		p.analyzers = append(p.analyzers, a)
	}
	return p, nil
}

type plugin struct{ analyzers []*analysis.Analyzer }

// BuildAnalyzers implements register.LinterPlugin.
func (p *plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) { return p.analyzers, nil }

// GetLoadMode implements register.LinterPlugin: types are needed.
func (p *plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
