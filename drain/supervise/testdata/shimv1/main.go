// Command shimv1 is a shim of the first version of package supervise: a copy of it as it was, which is not changed any more. Tests start jobs under it
// and adopt them with the package as it is.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func main() {
	if !IsShim() {
		fmt.Fprintln(os.Stderr, "this is a shim, and nothing else")
		os.Exit(2)
	}
	os.Exit(Shim{Renew: renew}.Main())
}

// renew looks for the token in the file that the job's meta names, as the shims of the package's tests do.
func renew(_ context.Context, job Spec) error {
	var l struct {
		Path string `json:"lease"`
	}
	if err := json.Unmarshal(job.Meta, &l); err != nil {
		return err
	}
	text, err := os.ReadFile(l.Path)
	if err == nil && strings.TrimSpace(string(text)) != strconv.FormatInt(job.Token, 10) {
		return fmt.Errorf("token %d: %w", job.Token, ErrLost)
	}
	return err
}
