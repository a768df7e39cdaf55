// Package worker runs jobs of a queue, as gocelery calls them.
package worker

import (
	"context"
	"database/sql"
	"net/http"
	"os/exec"
	"sync"
	"time"
)

type build struct {
	id int
	db *sql.DB
}

func (b *build) ParseKwargs(map[string]any) error { return nil }

// RunTask returns when the build has been started, and the queue takes it for done.
func (b *build) RunTask() (any, error) { // want RunTask:`acts by .*Exec`
	b.db.Exec(`UPDATE job SET status = 'running'`)
	go b.run()    // want `unwaited-goroutine: nobody waits for this goroutine, which handler \(\*build\).RunTask starts .*: the job ends before it does`
	go b.notify() // want `unwaited-goroutine: .*for a request to another service`
	return nil, nil
}

func (b *build) run() {
	exec.Command("control", "boot").Run()
	b.db.Exec(`UPDATE job SET status = 'success'`)
}

func (b *build) notify() {
	http.Post("http://localhost/hook", "application/json", nil)
}

type patient struct{ build }

// RunTask waits for what it starts, and so does a stop that waits for RunTask.
func (b *patient) RunTask() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	cmd := exec.CommandContext(ctx, "control", "boot")
	done := make(chan error, 1)
	go func() { done <- cmd.Run() }()
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		b.notify()
	}()
	err := <-done
	wg.Wait()
	return nil, err
}
