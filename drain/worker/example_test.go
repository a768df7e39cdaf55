package worker_test

import (
	"context"
	"fmt"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/workertest"
)

// A worker is a service of drain.Main: at SIGTERM it takes no more jobs, and those that run have up to an hour to end. Package celery has
// the queue of a real one.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	queue := &workertest.Memory{}
	queue.Add("greet")
	queue.Add("stop")
	w, err := worker.New(worker.Config{Queue: queue, Capacity: 1, Handlers: map[string]worker.Handler{
		"greet": func(ctx context.Context, job *worker.Job) (any, error) { return "hello", nil },
		"stop":  func(ctx context.Context, job *worker.Job) (any, error) { stop(); return nil, nil },
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = drain.Main(ctx, drain.Config{Deadline: time.Hour}, w)
	fmt.Println(err, queue.Results()["greet"][0].Value, w.Status().Counts.Finished)
	// Output: <nil> hello 2
}
