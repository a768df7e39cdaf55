package supervise_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"git.sr.ht/~sourcehut/ha-go/drain/supervise"
)

// A worker starts a job and is gone; the next one finds it, with its log and its result. (The program's main begins as IsShim says.)
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "supervise-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	first, err := supervise.New(supervise.Config{Dir: dir, Slots: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := first.Adopt(ctx); err != nil { // nothing yet
		fmt.Println(err)
		return
	}
	if _, err := first.Start(ctx, supervise.Spec{ID: "1138", Args: []string{"sh", "-c", "echo compiling; exit 3"}}); err != nil {
		fmt.Println(err)
		return
	}
	_ = first.Close() // or it was killed

	second, err := supervise.New(supervise.Config{Dir: dir, Slots: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = second.Close() }()
	jobs, err := second.Adopt(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, j := range jobs {
		log, err := j.Log(ctx, 0)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = io.Copy(os.Stdout, log) // until the job has ended
		_ = log.Close()
		result, err := j.Wait(ctx)
		fmt.Println(j.ID(), result.Outcome, result.Code, err)
		_ = j.Done(ctx)
	}
	// Output:
	// compiling
	// 1138 exited 3 <nil>
}
