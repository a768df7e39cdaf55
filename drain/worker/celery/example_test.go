package celery_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/celery"
)

// A worker for what a Python program asks for by app.send_task("tasks.add", [2, 3]), or by add.delay(2, 3).
func Example() {
	queue, err := celery.New(celery.Config{URL: "redis://localhost:6379/0"})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = queue.Close() }()
	w, err := worker.New(worker.Config{Queue: queue, Handlers: map[string]worker.Handler{
		"tasks.add": func(_ context.Context, job *worker.Job) (any, error) {
			var a, b int
			if err := celery.Args(job, &a, &b); err != nil {
				return nil, err
			}
			return a + b, nil
		},
	}})
	if err != nil {
		log.Fatal(err)
	}
	if err := drain.Main(context.Background(), drain.Config{Deadline: time.Hour}, w); err != nil {
		log.Print(err)
	}
}

// Named arguments go into a struct.
func ExampleKwargs() {
	job := &worker.Job{Name: "build", Payload: []byte(`{"args": [], "kwargs": {"manifest": "image: alpine/edge"}}`)}
	var named struct{ Manifest string }
	fmt.Println(celery.Args(job), celery.Kwargs(job, &named), named.Manifest)
	// Output: <nil> <nil> image: alpine/edge
}

// An operator reads the dead letters and, once the reason is gone, sends them back.
func ExampleQueue_Dead() {
	queue, err := celery.New(celery.Config{})
	if err != nil {
		log.Fatal(err)
	}
	letters, err := queue.Dead(context.Background(), 100)
	if err != nil {
		log.Print(err)
	}
	for _, letter := range letters {
		fmt.Println(letter.Time, letter.Why)
		if err := queue.Requeue(context.Background(), letter); err != nil {
			log.Print(err)
		}
	}
}
