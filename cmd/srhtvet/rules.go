package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"git.sr.ht/~sourcehut/ha-go/analyzers"
	"git.sr.ht/~sourcehut/ha-go/internal/gochecks"
	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

func rulesCommand() command {
	return command{
		name: "rules", args: "[-format text|json]", summary: "list the rules",
		about: "Lists every rule about migrations and queries, with the severity that its findings have unless the size of the table says\notherwise, and every check of the analyzers of Go code, whose category is the analyzer. Rules of the category hygiene are\noff unless enabled.",
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			format := fs.String("format", "text", "print the rules as `FORMAT`: text, json")
			return func(args []string) int {
				if len(args) > 0 {
					return t.fail("rules takes no arguments; `srhtvet explain %s` explains a rule", args[0])
				}
				switch *format {
				case "text":
					return t.done(rulesText(t.stdout))
				case "json":
					return t.done(rulesJSON(t.stdout))
				}
				return t.fail("unknown format %q: use text or json", *format)
			}
		},
	}
}

// done is the exit status of a command that only prints.
func (t *terminal) done(err error) int {
	if err != nil {
		return t.fail("writing: %v", err)
	}
	return exitClean
}

func rulesText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range allRules() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Category, r.Doc.Summary)
	}
	return w.Flush()
}

// allRules are the rules about migrations and queries, and the checks of Go code in the form of rules, each list sorted as
// its package has it.
func allRules() []*migratecheck.Rule { return slices.Concat(migratecheck.Rules(), goRules()) }

// goRules are the checks of Go code in the form of rules, but for those about suppression comments, which migrations have too.
func goRules() []*migratecheck.Rule {
	var list []*migratecheck.Rule
	manuals := analyzers.Manuals()
	for _, c := range gochecks.All() {
		if slices.ContainsFunc(migratecheck.Rules(), func(r *migratecheck.Rule) bool { return r.ID == c.ID }) {
			continue
		}
		list = append(list, &migratecheck.Rule{ID: c.ID, Category: migratecheck.Category(c.Analyzer), Severity: c.Severity,
			Doc: migratecheck.Doc{Summary: c.Summary, Why: manuals[c.ID]}})
	}
	return list
}

// encode writes a JSON document. SQL is full of <, > and &, which need no escaping outside of HTML.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func rulesJSON(w io.Writer) error {
	type rule struct {
		ID       string `json:"id"`
		Category string `json:"category"`
		Severity string `json:"severity"`
		Default  bool   `json:"default"`
		Summary  string `json:"summary"`
	}
	doc := struct {
		Version int    `json:"version"`
		Rules   []rule `json:"rules"`
	}{1, []rule{}}
	for _, r := range allRules() {
		doc.Rules = append(doc.Rules, rule{r.ID, string(r.Category), r.Severity.String(), r.Category != migratecheck.Hygiene, r.Doc.Summary})
	}
	return encode(w, doc)
}

func explainCommand() command {
	return command{
		name: "explain", args: "RULE|ANALYZER", summary: "explain a rule: why, an example, and what to write instead",
		about: "Explains a rule, a check of Go code, or an analyzer: what it reports and why, a migration that it reports and one that it does not, its exceptions,\nwhere versions of PostgreSQL differ, and the source of the claim.",
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			return func(args []string) int {
				if len(args) != 1 {
					return t.fail("explain takes the name of one rule; `srhtvet rules` lists them")
				}
				var names []string
				for _, r := range migratecheck.Rules() {
					if r.ID == args[0] {
						if err := explain(t.stdout, r); err != nil {
							return t.done(err)
						}
						if manual, analyzer := analyzers.Explain(r.ID); manual != "" { // comments in Go code are wrong in the same ways
							fmt.Fprintf(t.stdout, "\nIn Go code:\n\n")
							return t.done(explainGo(t.stdout, r.ID, analyzer, manual))
						}
						return exitClean
					}
					names = append(names, r.ID)
				}
				for _, c := range gochecks.All() {
					names = append(names, c.ID, c.Analyzer)
				}
				if manual, analyzer := analyzers.Explain(args[0]); manual != "" {
					return t.done(explainGo(t.stdout, args[0], analyzer, manual))
				}
				return t.fail("no rule is called %q%s", args[0], spell.Suggest(args[0], names, "`srhtvet rules` lists them"))
			}
		},
	}
}

func explain(out io.Writer, r *migratecheck.Rule) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s (%s, %s)\n\n", r.ID, r.Severity, r.Category)
	fmt.Fprintf(w, "%s\n\n%s\n", r.Doc.Summary, r.Doc.Why)
	block := func(title, text string, indent string) {
		if text = strings.Trim(text, "\n"); text == "" {
			return
		}
		fmt.Fprintf(w, "\n%s:\n", title)
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\n")
			if line != "" {
				line = indent + line
			}
			fmt.Fprintln(w, line)
		}
	}
	block("Given", r.Doc.Schema, "    ")
	block("Reported", r.Doc.Bad, "    ")
	block("Instead", r.Doc.Good, "    ")
	block("Exceptions", r.Doc.Exceptions, "  ")
	block("Versions of PostgreSQL", r.Doc.Versions, "  ")
	block("Source", r.Doc.Source, "  ")
	fmt.Fprintf(w, "\nTo take one finding back, with the reason: -- srhtvet:ignore %s REASON\n", r.ID)
	return w.Flush()
}

// explainGo prints the manual of a check or an analyzer of Go code.
func explainGo(out io.Writer, name, analyzer, manual string) error {
	w := bufio.NewWriter(out)
	if c, ok := gochecks.ByID(name); ok {
		fmt.Fprintf(w, "%s (%s, %s)\n\n%s\n\n", c.ID, c.Severity, analyzer, c.Summary)
	} else {
		fmt.Fprintf(w, "%s: ", name)
	}
	fmt.Fprintf(w, "%s\n\nTo take one finding back, with the reason: //srhtvet:ignore %s REASON\n", manual, name)
	return w.Flush()
}

func statsCommand() command {
	return command{
		name: "stats", args: "", summary: "print the query whose answer -stats reads",
		about: "Prints a query. Its answer on the production database, for -stats or the settings, tells how large the tables are, so\nthat findings about small ones are notes and those about large ones errors:\n\n  psql -XAt -c \"$(srhtvet stats)\" >stats.json",
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			return func(args []string) int {
				if len(args) > 0 {
					return t.fail("stats takes no arguments")
				}
				_, err := fmt.Fprintln(t.stdout, migratecheck.StatsQuery)
				return t.done(err)
			}
		},
	}
}

func helpCommand() command {
	return command{
		name: "help", args: "[COMMAND]", summary: "print help",
		about: "Prints the help text of a command, or of all.",
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			return func(args []string) int {
				if len(args) == 0 {
					t.usage(t.stdout)
					return exitClean
				}
				for _, c := range commands() {
					if c.name == args[0] {
						t.help(t.stdout, c)
						return exitClean
					}
				}
				return t.fail("unknown command %q%s", args[0], spell.Suggest(args[0], commandNames(), "`srhtvet -h` lists them"))
			}
		},
	}
}
