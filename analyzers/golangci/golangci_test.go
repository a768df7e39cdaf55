package golangci

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
)

func registered(t *testing.T, conf any) (register.LinterPlugin, error) {
	t.Helper()
	make, err := register.GetPlugin("srhtvet")
	require.NoError(t, err)
	return make(conf)
}

func names(list []*analysis.Analyzer) []string {
	var names []string
	for _, a := range list {
		names = append(names, a.Name)
	}
	return names
}

func TestRegistered(t *testing.T) {
	p, err := registered(t, nil)
	require.NoError(t, err)
	list, err := p.BuildAnalyzers()
	require.NoError(t, err)
	require.Contains(t, names(list), "handlerdeadline")
	require.NotContains(t, names(list), "migrations", "golangci-lint's cache knows Go files only")
	require.NoError(t, analysis.Validate(list))
	require.Equal(t, register.LoadModeTypesInfo, p.GetLoadMode())
}

func TestSettings(t *testing.T) {
	p, err := registered(t, map[string]any{"severity": "error", "disable": []string{"handlerdeadline", "bad-ignore"}})
	require.NoError(t, err)
	list, err := p.BuildAnalyzers()
	require.NoError(t, err)
	require.NotContains(t, names(list), "handlerdeadline")
	for _, a := range list {
		require.Equal(t, "error", a.Flags.Lookup("severity").Value.String(), a.Name)
		require.Equal(t, "handlerdeadline,bad-ignore", a.Flags.Lookup("disable").Value.String(), a.Name)
	}
}

func TestBadSettings(t *testing.T) {
	for conf, want := range map[string]map[string]any{
		`unknown field "sevrity"`:         {"sevrity": "error"},
		`unknown severity "fatal"`:        {"severity": "fatal"},
		`is called "handlerdeadlin"; did`: {"disable": []string{"handlerdeadlin"}},
	} {
		_, err := registered(t, want)
		require.ErrorContains(t, err, conf)
		require.ErrorContains(t, err, "srhtvet: ")
	}
}
