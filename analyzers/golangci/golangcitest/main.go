// Command golangcitest is golangci-lint with the plugin srhtvet: the program that `golangci-lint custom` writes for the
// .custom-gcl.yml of docs/integrations.md. Its test runs it.
package main

import (
	"fmt"
	"os"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "git.sr.ht/~sourcehut/ha-go/analyzers/golangci"
)

func main() {
	if err := commands.Execute(commands.BuildInfo{Version: "v2.8.0", GoVersion: "go"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitcodes.Failure)
	}
}
