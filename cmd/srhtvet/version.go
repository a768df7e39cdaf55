package main

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is that of the module as it was built: a tag, or what the go command knows of the checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func versionCommand() command {
	return command{
		name: "version", args: "", summary: "print the version",
		about: "Prints the version of srhtvet and of the Go release it was built with.",
		flags: func(t *terminal, fs *flag.FlagSet) func([]string) int {
			return func(args []string) int {
				if len(args) > 0 {
					return t.fail("version takes no arguments")
				}
				_, err := fmt.Fprintf(t.stdout, "srhtvet %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return t.done(err)
			}
		},
	}
}
