// Package sarifschema_test validates what package report writes as SARIF against the schema that OASIS publishes
// (sarif-schema-2.1.0.json). The schema comes out of the module github.com/owenrumney/go-sarif, whose own validation takes its
// own structs only; what is validated are the golden files of package report, which that package's test holds equal to its
// output.
package sarifschema_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // whose source holds the schema
	"github.com/xeipuuv/gojsonschema"
)

// schema is the string constant of that name in go-sarif's source.
func schema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatalf("asking go where go-sarif is: %v", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == 1 && v.Names[0].Name == "schema" && len(v.Values) == 1 {
			if literal, ok := v.Values[0].(*ast.BasicLit); ok {
				text, err = strconv.Unquote(literal.Value)
			}
		}
		return true
	})
	if err != nil || !strings.Contains(text, "Version 2.1.0 JSON Schema") {
		t.Fatalf("go-sarif no longer holds the schema there: %v", err)
	}
	compiled, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func validate(schema *gojsonschema.Schema, text string) error {
	result, err := schema.Validate(gojsonschema.NewStringLoader(text))
	if err != nil {
		return err
	}
	var all []error
	for _, e := range result.Errors() {
		all = append(all, fmt.Errorf("%s", e))
	}
	return errors.Join(all...)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGoldenFilesAreValid(t *testing.T) {
	schema := schema(t)
	for _, name := range []string{"sarif.golden", "sarif-empty.golden"} {
		if err := validate(schema, read(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMistakesAreRefused: the same with a mistake in it, or nothing is validated here.
func TestMistakesAreRefused(t *testing.T) {
	schema, text := schema(t), read(t, "sarif.golden")
	for _, mistake := range [][2]string{
		{`"level": "error"`, `"level": "fatal"`},
		{`"startLine": 1`, `"startLine": 0`},
		{`"version": "2.1.0"`, `"version": "2.0"`},
		{`"columnKind"`, `"columnKnd"`},
		{`"ruleIndex": 0`, `"ruleIndex": "0"`},
	} {
		wrong := strings.Replace(text, mistake[0], mistake[1], 1)
		if wrong == text {
			t.Fatalf("sarif.golden holds no %s", mistake[0])
		}
		if validate(schema, wrong) == nil {
			t.Errorf("%s passes", mistake[1])
		}
	}
}
