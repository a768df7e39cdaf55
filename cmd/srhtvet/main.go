// Srhtvet finds what a change of the database schema, or the code around it, would break while two versions of a service
// run side by side. It is a command of its own and a tool for go vet.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/verify"
)

// Exit statuses.
const (
	exitClean    = 0 // ran, found nothing at or above the bar
	exitFindings = 1
	exitFailed   = 2 // could not run, or not on everything

	exitInterrupted = 130 // as shells count SIGINT; by SIGTERM and SIGHUP too
)

func main() {
	launcher := verify.Divert() // srhtvet compat -verify starts a server under a supervisor, which is this program again
	if isVetProtocol(os.Args[1:]) {
		vet(os.Args[1:]) // ends the process
	}
	defer runtime.KeepAlive(prepareHeap())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	t := &terminal{ctx: ctx, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, launcher: launcher}
	// The parser, which is C, could not be told: Ctrl-C, or whoever ends a job of CI, ends the process at once, but for what has to be put in order.
	finished := context.AfterFunc(ctx, func() {
		status := t.fail("interrupted")
		t.inOrder.Lock()
		os.Exit(status)
	})
	status := t.run(os.Args[1:])
	if !finished() {
		select {} // it is about to end with another status
	}
	stop()
	os.Exit(status)
}

// terminal is where a command runs.
type terminal struct {
	ctx            context.Context
	stdout, stderr io.Writer
	getenv         func(string) string
	launcher       verify.Launcher
	interrupted    sync.Once  // said
	inOrder        sync.Mutex // held while something must be put in order before the process may end
}

// command is one of srhtvet's.
type command struct {
	name    string
	args    string // for the usage line
	summary string
	about   string // the help text between usage and flags
	// flags registers the command's flags and returns what runs it, with the arguments after them.
	flags func(*terminal, *flag.FlagSet) func(args []string) int
}

// commands lists them in the order of the help text.
func commands() []command {
	return []command{
		lintCommand(),
		compatCommand(),
		packagesCommand(),
		rulesCommand(),
		explainCommand(),
		queriesCommand(),
		locksCommand(),
		statsCommand(),
		completionCommand(),
		versionCommand(),
		helpCommand(),
	}
}

func commandNames() []string {
	var list []string
	for _, c := range commands() {
		list = append(list, c.name)
	}
	return list
}

// run executes a command line and returns its exit status.
func (t *terminal) run(args []string) int {
	if len(args) == 0 {
		t.usage(t.stderr)
		return exitFailed
	}
	switch args[0] {
	case "-h", "-help", "--help":
		t.usage(t.stdout)
		return exitClean
	case "-version", "--version":
		args = []string{"version"}
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return t.execute(c, args[1:])
		}
	}
	if looksLikePackages(args[0]) {
		return t.execute(packagesCommand(), args)
	}
	if strings.HasPrefix(args[0], "-") && !isFlagOf(packagesCommand(), t, args[0]) {
		return t.fail("unknown flag %s%s\nUsage: srhtvet COMMAND, or srhtvet [flags] PACKAGES (`srhtvet -h` and `srhtvet packages -h` say more)", args[0],
			spell.DidYouMean(args[0], []string{"-h", "-version"}))
	}
	if strings.HasPrefix(args[0], "-") {
		return t.execute(packagesCommand(), args)
	}
	return t.fail("unknown command %q%s (a package is written ./%s)", args[0],
		spell.Suggest(args[0], commandNames(), "`srhtvet -h` lists the commands"), args[0])
}

// looksLikePackages tells package patterns from misspelt commands: they have a dot or a slash, or are one of the go
// command's words.
func looksLikePackages(arg string) bool {
	switch arg {
	case "all", "std", "cmd", "work", "tool":
		return true
	}
	return !strings.HasPrefix(arg, "-") && strings.ContainsAny(arg, "./\\")
}

func isFlagOf(c command, t *terminal, arg string) bool {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(t, fs)
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return fs.Lookup(name) != nil
}

// execute parses a command's flags, which may stand before and after its arguments, and runs it.
func (t *terminal) execute(c command, args []string) int {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	run := c.flags(t, fs)
	var rest []string
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			t.help(t.stdout, c)
			return exitClean
		} else if err != nil {
			return t.fail("%s", badFlag(c, fs, err))
		}
		if parsed := len(args) - fs.NArg(); parsed > 0 && args[parsed-1] == "--" {
			rest = append(rest, fs.Args()...)
			break
		}
		if fs.NArg() == 0 {
			break
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
	return run(rest)
}

// badFlag words the error of a FlagSet: one line, with the nearest name.
func badFlag(c command, fs *flag.FlagSet, err error) string {
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag provided but not defined: -"); ok {
		var names []string
		fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
		hint := ""
		if n := spell.Nearest(name, names); n != "" {
			hint = "; did you mean -" + n + "?"
		}
		msg = fmt.Sprintf("unknown flag -%s%s", name, hint)
	}
	return fmt.Sprintf("%s: %s (`srhtvet %s -h` lists the flags)", c.name, msg, c.name)
}

// fail prints one error and returns the exit status for it. After Ctrl-C every error follows from that, and it is said once.
func (t *terminal) fail(format string, args ...any) int {
	if t.ctx.Err() != nil {
		t.interrupted.Do(func() { t.say("interrupted") })
		return exitInterrupted
	}
	t.say(format, args...)
	return exitFailed
}

// say prints a message that is not a result.
func (t *terminal) say(format string, args ...any) {
	fmt.Fprintf(t.stderr, "srhtvet: "+format+"\n", args...)
}

func (t *terminal) usage(w io.Writer) {
	fmt.Fprint(w, `srhtvet finds what a change of the database schema would break, block or lose, and Go code that loses requests, writes or jobs when a node
leaves or a primary fails over.

Usage:
  srhtvet lint [flags] [paths]              judge migrations; needs neither Go code nor the go command
  srhtvet compat [flags] [dir]              old and new code on the old and the new schema
  srhtvet [flags] PACKAGES                  run every analyzer on Go packages, broken ones too
  go vet -vettool=$(which srhtvet) ./...    the same analyzers, cached by the go command

Commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, `
srhtvet COMMAND -h says more about each.

Exit status: 0 nothing found, 1 findings at or above the bar (-severity), 2 could not run, or could not read everything,
130 interrupted.
`)
}

// help prints a command's help text.
func (t *terminal) help(w io.Writer, c command) {
	name := "srhtvet " + c.name
	if c.name == packagesCommand().name {
		name = "srhtvet"
	}
	fmt.Fprintf(w, "Usage: %s\n\n%s\n", strings.TrimSpace(name+" "+c.args), strings.TrimSpace(c.about))
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(t, fs)
	any := false
	fs.VisitAll(func(f *flag.Flag) {
		if isAlias(f) {
			return
		}
		if !any {
			fmt.Fprintf(w, "\nFlags:\n")
		}
		any = true
		arg, usage := flag.UnquoteUsage(f)
		if arg != "" {
			arg = " " + strings.ToUpper(arg) // the flag package calls what a bool or a number takes by its type
		}
		fmt.Fprintf(w, "  -%-18s %s\n", f.Name+arg, usage)
	})
}
