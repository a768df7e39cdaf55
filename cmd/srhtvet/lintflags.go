package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/report"
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
	color, err := t.colored(o.color)
	return format, color, err
}

// colored reads the flag -color.
func (t *terminal) colored(when string) (bool, error) {
	switch when {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		// no-color.org: any value but the empty one.
		return t.getenv("NO_COLOR") == "" && t.getenv("TERM") != "dumb" && isTerminal(t.stdout), nil
	}
	return false, fmt.Errorf("unknown -color %q: use auto, always or never", when)
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
