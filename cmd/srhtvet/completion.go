package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/report"
	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

func completionCommand() command {
	return command{
		name: "completion", args: "bash|zsh|fish", summary: "print a completion script for a shell",
		about: `Prints a script that completes commands, flags and their values, and names of rules:

  bash:  srhtvet completion bash >~/.local/share/bash-completion/completions/srhtvet
  zsh:   srhtvet completion zsh >~/.zsh/completions/_srhtvet   (a directory of $fpath)
  fish:  srhtvet completion fish >~/.config/fish/completions/srhtvet.fish`,
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			return func(args []string) int {
				shells := map[string]func([]completed) string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
				if len(args) != 1 {
					return t.fail("completion takes the name of a shell: bash, zsh, fish")
				}
				script, ok := shells[args[0]]
				if !ok {
					return t.fail("no completion for %q%s", args[0], spell.Suggest(args[0], []string{"bash", "zsh", "fish"}, "there are bash, zsh, fish"))
				}
				_, err := fmt.Fprint(t.stdout, script(completions(t)))
				return t.done(err)
			}
		},
	}
}

// completed is what can follow a command.
type completed struct {
	name, summary string
	words         []string // arguments, besides files
	files         bool
	flags         []completedFlag
}

type completedFlag struct {
	name, usage string
	takesValue  bool
	values      []string // nil: files
	list        bool     // several, with commas between them
}

// completions describes every command.
func completions(t *terminal) []completed {
	var rules, categories []string
	for _, r := range migratecheck.Rules() {
		rules = append(rules, r.ID)
		if c := string(r.Category); !slices.Contains(categories, c) {
			categories = append(categories, c)
		}
	}
	var list []completed
	for _, c := range commands() {
		done := completed{name: c.name, summary: c.summary}
		switch c.name {
		case "explain":
			done.words = rules
		case "completion":
			done.words = []string{"bash", "zsh", "fish"}
		case "help":
			done.words = commandNames()
		case "lint", "locks", "packages":
			done.files = true
		}
		fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(t, fs)
		fs.VisitAll(func(f *flag.Flag) {
			if isAlias(f) {
				return
			}
			arg, usage := flag.UnquoteUsage(f)
			cf := completedFlag{name: f.Name, usage: usage, takesValue: arg != ""}
			base := f.Name[strings.LastIndexByte(f.Name, '.')+1:]
			switch base {
			case "severity":
				cf.values = []string{"info", "warning", "error"}
			case "enable", "disable":
				cf.values, cf.list = append(slices.Clone(rules), categories...), true
			case "pg":
				cf.values = []string{"12", "13", "14", "15", "16", "17", "18"}
			case "source":
				for _, s := range source.Formats() {
					cf.values = append(cf.values, s.Name)
				}
			case "color":
				cf.values = []string{"auto", "always", "never"}
			case "format":
				cf.values = []string{"text", "json"}
				if c.name == "lint" || c.name == "packages" {
					cf.values = nil
					for _, s := range report.Formats() {
						cf.values = append(cf.values, s.Name)
					}
				}
			case "since", "base", "tags":
				cf.values = []string{}
			}
			done.flags = append(done.flags, cf)
		})
		done.flags = append(done.flags, completedFlag{name: "h", usage: "help"})
		list = append(list, done)
	}
	return list
}

func bashCompletion(list []completed) string {
	var b strings.Builder
	fmt.Fprint(&b, `# bash completion for srhtvet
_srhtvet() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} words= values= head=
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ] && [[ $cur != -* ]]; then
`)
	var names []string
	for _, c := range list {
		names = append(names, c.name)
	}
	fmt.Fprintf(&b, "\t\tCOMPREPLY=($(compgen -W %s -- \"$cur\") $(compgen -d -- \"$cur\"))\n\t\treturn\n\tfi\n", quote(strings.Join(append(names, "-h"), " ")))
	b.WriteString("\tcase $cmd in\n\t-*|*/*|*.*) cmd=packages ;;\n\tesac\n\tcase $cmd:$prev in\n")
	for _, c := range list {
		for _, f := range c.flags {
			switch {
			case !f.takesValue:
			case f.values == nil:
				fmt.Fprintf(&b, "\t%s:-%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", c.name, f.name)
			case f.list:
				fmt.Fprintf(&b, "\t%s:-%s) values=%s; case $cur in *,*) head=${cur%%,*},; cur=${cur##*,} ;; esac\n\t\tCOMPREPLY=($(compgen -P \"$head\" -W \"$values\" -- \"$cur\")); return ;;\n",
					c.name, f.name, quote(strings.Join(f.values, " ")))
			default:
				fmt.Fprintf(&b, "\t%s:-%s) COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;;\n", c.name, f.name, quote(strings.Join(f.values, " ")))
			}
		}
	}
	b.WriteString("\tesac\n\tcase $cmd:$cur in\n")
	for _, c := range list {
		var flags []string
		for _, f := range c.flags {
			flags = append(flags, "-"+f.name)
		}
		fmt.Fprintf(&b, "\t%s:-*) COMPREPLY=($(compgen -W %s -- \"$cur\")) ;;\n", c.name, quote(strings.Join(flags, " ")))
		if len(c.words) > 0 {
			fmt.Fprintf(&b, "\t%s:*) COMPREPLY=($(compgen -W %s -- \"$cur\")) ;;\n", c.name, quote(strings.Join(c.words, " ")))
		} else if c.files {
			fmt.Fprintf(&b, "\t%s:*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n", c.name)
		}
	}
	b.WriteString("\tesac\n}\ncomplete -o filenames -F _srhtvet srhtvet\n")
	return b.String()
}

// quote is a word in single quotes for a POSIX shell; zsh and fish (outside of backslashes) read it alike.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func zshCompletion(list []completed) string {
	// _arguments gives square brackets and colons a meaning.
	plain := strings.NewReplacer("[", "(", "]", ")", ":", " -")
	var b strings.Builder
	b.WriteString("#compdef srhtvet\n\n_srhtvet() {\n\tlocal -a commands\n\tcommands=(\n")
	for _, c := range list {
		fmt.Fprintf(&b, "\t\t%s\n", quote(c.name+":"+plain.Replace(c.summary)))
	}
	b.WriteString("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\t_files -/\n\t\treturn\n\tfi\n")
	b.WriteString("\tlocal cmd=$words[2]\n\tcase $cmd in\n\t-*|*/*|*.*) cmd=packages ;;\n\t*) shift words; (( CURRENT-- )) ;;\n\tesac\n\tcase $cmd in\n")
	for _, c := range list {
		fmt.Fprintf(&b, "\t%s)\n\t\t_arguments", c.name)
		for _, f := range c.flags {
			spec := "-" + f.name + "[" + plain.Replace(f.usage) + "]"
			switch {
			case !f.takesValue:
			case f.values == nil:
				spec += ":file:_files"
			case f.list:
				spec += ":names:_sequence compadd - " + strings.Join(f.values, " ")
			default:
				spec += ":value:(" + strings.Join(f.values, " ") + ")"
			}
			fmt.Fprintf(&b, " \\\n\t\t\t%s", quote(spec))
		}
		if len(c.words) > 0 {
			fmt.Fprintf(&b, " \\\n\t\t\t%s", quote("*:name:("+strings.Join(c.words, " ")+")"))
		} else if c.files {
			fmt.Fprintf(&b, " \\\n\t\t\t%s", quote("*:path:_files"))
		}
		b.WriteString("\n\t\t;;\n")
	}
	// Works from $fpath, where the file is the function's body, and when it is sourced.
	b.WriteString("\tesac\n}\n\nif [ \"$funcstack[1]\" = _srhtvet ]; then\n\t_srhtvet \"$@\"\nelse\n\tcompdef _srhtvet srhtvet\nfi\n")
	return b.String()
}

func fishCompletion(list []completed) string {
	var b strings.Builder
	// fish knows the escapes \\ and \' inside single quotes only.
	fish := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	b.WriteString("# fish completion for srhtvet\ncomplete -c srhtvet -f\n")
	for _, c := range list {
		fmt.Fprintf(&b, "complete -c srhtvet -n __fish_use_subcommand -a %s -d %s\n", c.name, fish(c.summary))
	}
	b.WriteString("complete -c srhtvet -n __fish_use_subcommand -a '(__fish_complete_directories)'\n")
	for _, c := range list {
		when := fish("__fish_seen_subcommand_from " + c.name)
		for _, f := range c.flags {
			line := fmt.Sprintf("complete -c srhtvet -n %s -o %s -d %s", when, f.name, fish(f.usage))
			switch {
			case !f.takesValue:
			case f.values == nil:
				line += " -r -F"
			case f.list:
				line += " -x -a " + fish("(__fish_append , "+strings.Join(f.values, " ")+")")
			default:
				line += " -x -a " + fish(strings.Join(f.values, " "))
			}
			b.WriteString(line + "\n")
		}
		if len(c.words) > 0 {
			fmt.Fprintf(&b, "complete -c srhtvet -n %s -a %s\n", when, fish(strings.Join(c.words, " ")))
		} else if c.files {
			fmt.Fprintf(&b, "complete -c srhtvet -n %s -F\n", when)
		}
	}
	return b.String()
}
