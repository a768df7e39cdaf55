package celery

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// python is a command with the tests' Celery application beside it.
func python(t *testing.T, server *pgtest.RedisServer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(need.Python(t, "celery", "redis"), args...)
	dir, err := filepath.Abs("testdata")
	require.NoError(t, err)
	// -B in the environment: nothing is to be written beside the sources. Celery warns root.
	cmd.Env = append(os.Environ(), "BROKER=redis+socket://"+server.Socket+"?virtual_host=0", "PYTHONPATH="+dir, "PYTHONDONTWRITEBYTECODE=1", "C_FORCE_ROOT=1")
	cmd.Dir = t.TempDir()
	return cmd
}

// pythonProducer is testdata/app.py as a program.
type pythonProducer struct {
	t     *testing.T
	in    *json.Encoder
	lines *bufio.Scanner
}

type dict map[string]any

// startProducer starts one that writes the protocol, which it has for its whole life: Celery keeps it.
func startProducer(t *testing.T, server *pgtest.RedisServer, protocol int) *pythonProducer {
	t.Helper()
	app, err := filepath.Abs("testdata/app.py")
	require.NoError(t, err)
	cmd := python(t, server, app)
	cmd.Env = append(cmd.Env, fmt.Sprintf(`CONF={"task_protocol": %d}`, protocol))
	cmd.Stderr = testWriter(t)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &pythonProducer{t: t, in: json.NewEncoder(in), lines: bufio.NewScanner(out)}
}

func (p *pythonProducer) ask(order dict) dict {
	p.t.Helper()
	require.NoError(p.t, p.in.Encode(order))
	require.True(p.t, p.lines.Scan(), "Python has ended")
	var answer dict
	require.NoError(p.t, json.Unmarshal(p.lines.Bytes(), &answer))
	return answer
}

func (p *pythonProducer) send(order dict) string {
	p.t.Helper()
	order["do"] = "send"
	return p.ask(order)["id"].(string)
}

func (p *pythonProducer) get(id string) dict {
	p.t.Helper()
	return p.ask(dict{"do": "get", "id": id, "timeout": 60})
}

// startPythonWorker is a Celery worker, which ends with the test.
func startPythonWorker(t *testing.T, server *pgtest.RedisServer) {
	t.Helper()
	cmd := python(t, server, "-m", "celery", "-A", "app", "worker", "--pool", "solo", "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")
	log := testWriter(t)
	cmd.Stdout = log
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ready := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		is := sync.OnceFunc(func() { close(ready) })
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			_, _ = log.Write(lines.Bytes())
			if strings.HasSuffix(lines.Text(), " ready.") {
				is()
			}
		}
		is()
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
	})
	<-ready
}

// startWorker runs jobs until the test ends, or stop is called.
func startWorker(t *testing.T, cfg worker.Config) *worker.Worker {
	t.Helper()
	w, err := worker.New(cfg)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- w.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if t.Failed() {
			cancel()
		}
		err := w.Shutdown(ctx)
		require.NoError(t, <-served)
		require.NoError(t, err)
	})
	return w
}

func add(_ context.Context, job *worker.Job) (any, error) {
	var a, b int
	if err := Args(job, &a, &b); err != nil {
		return nil, err
	}
	return a + b, nil
}

// TestPythonAsksGo: what Celery's own client sends is run, and answered so that it gets it.
func TestPythonAsksGo(t *testing.T) {
	t.Parallel()
	for _, protocol := range []int{1, 2} {
		t.Run(fmt.Sprint("protocol", protocol), func(t *testing.T) {
			t.Parallel()
			testPythonAsksGo(t, protocol)
		})
	}
}

func testPythonAsksGo(t *testing.T, protocol int) {
	server := pgtest.Redis(t, nil)
	producer := startProducer(t, server, protocol)
	queue := newQueue(t, server, Config{Lease: time.Second})
	var mu sync.Mutex
	limits := map[string]time.Duration{}
	startWorker(t, worker.Config{Queue: queue, Capacity: 4, Handlers: map[string]worker.Handler{
		"tasks.add": add,
		"tasks.kwargs": func(_ context.Context, job *worker.Job) (any, error) {
			var named struct{ Manifest string }
			err := errors.Join(Args(job), Kwargs(job, &named))
			return dict{"manifest": named.Manifest}, err
		},
		"tasks.fail":  func(context.Context, *worker.Job) (any, error) { return nil, errors.New("no such image: alpine/2") },
		"tasks.panic": func(context.Context, *worker.Job) (any, error) { panic("index out of range") },
		"tasks.odd":   func(context.Context, *worker.Job) (any, error) { return make(chan int), nil },
		"tasks.limit": func(ctx context.Context, job *worker.Job) (any, error) {
			mu.Lock()
			limits[job.ID] = job.Limit
			mu.Unlock()
			<-ctx.Done()
			return nil, context.Cause(ctx)
		},
	}})
	send := func(name string, args []any, options dict) string {
		return producer.send(dict{"name": name, "args": args, "options": options})
	}
	require.Equal(t, dict{"state": "SUCCESS", "value": 5.0}, producer.get(send("tasks.add", []any{2, 3}, nil)))
	require.Equal(t, dict{"state": "SUCCESS", "value": map[string]any{"manifest": "größer < 1 & 2"}}, producer.get(producer.send(
		dict{"name": "tasks.kwargs", "kwargs": dict{"Manifest": "größer < 1 & 2"}})))
	failed := producer.get(send("tasks.fail", nil, nil))
	require.Equal(t, dict{"state": "FAILURE", "type": "Exception", "text": "no such image: alpine/2", "traceback": nil}, failed)
	panicked := producer.get(send("tasks.panic", nil, nil))
	require.Equal(t, "panic: index out of range", panicked["text"])
	require.Contains(t, panicked["traceback"], "python_test.go")
	require.Contains(t, producer.get(send("tasks.odd", nil, nil))["text"], "the result cannot be written as JSON")
	require.Contains(t, producer.get(send("tasks.add", []any{1}, nil))["text"], "tasks.add takes 2 arguments, not 1")
	require.Contains(t, producer.get(send("tasks.nobody", nil, nil))["text"], `there is no handler for "tasks.nobody" here`)

	expired := producer.get(send("tasks.add", []any{2, 3}, dict{"expires": -1}))
	require.Equal(t, "REVOKED", expired["state"])
	require.Equal(t, "TaskRevokedError", expired["type"])
	began := time.Now()
	require.Equal(t, 7.0, producer.get(send("tasks.add", []any{3, 4}, dict{"countdown": 0.5, "expires": 60}))["value"])
	require.GreaterOrEqual(t, time.Since(began), 400*time.Millisecond, "not before its time")
	for _, compression := range []string{"zlib", "bzip2"} {
		require.Equal(t, 9.0, producer.get(send("tasks.add", []any{4, 5}, dict{"compression": compression}))["value"], compression)
	}
	id := send("tasks.limit", nil, dict{"time_limit": 100, "soft_time_limit": 0.2})
	require.Equal(t, "the job has run for as long as it may", producer.get(id)["text"])
	mu.Lock()
	require.Equal(t, 200*time.Millisecond, limits[id])
	mu.Unlock()
	for priority := range 10 {
		require.Equal(t, 1.0, producer.get(send("tasks.add", []any{1, 0}, dict{"priority": priority}))["value"])
	}
	require.Equal(t, dict{"value": []any{3.0, 7.0}}, producer.ask(dict{"do": "group", "timeout": 60, "tasks": []dict{
		{"name": "tasks.add", "args": []int{1, 2}}, {"name": "tasks.add", "args": []int{3, 4}}}}))

	// What is not done is said, to whoever waits and to the operator.
	chained := producer.ask(dict{"do": "chain", "tasks": []dict{{"name": "tasks.add", "args": []int{1, 2}}, {"name": "tasks.add", "args": []int{3}}}})["id"].(string)
	require.Contains(t, producer.get(chained)["text"], "the task asks for "+map[int]string{1: "callbacks", 2: "chain"}[protocol]+", which this worker does not do")
	pickled := producer.send(dict{"name": "tasks.add", "args": []int{1, 2}, "options": dict{"serializer": "pickle"}})
	if protocol == 2 { // in protocol 1 the ID is in what cannot be read
		require.Contains(t, producer.get(pickled)["text"], `the body is "application/x-python-serialize": this worker reads application/json`)
	}
	eventually(t, func() bool {
		letters, err := queue.Dead(t.Context(), 100)
		require.NoError(t, err)
		return len(letters) == 3 // one of a task without a handler
	})
	require.Equal(t, []string{"ha:dead"}, leftovers(t, queue))
}

// TestIgnoredResult: none is stored.
func TestIgnoredResult(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, nil)
	producer := startProducer(t, server, 2)
	queue := newQueue(t, server, Config{})
	id := producer.send(dict{"name": "tasks.add", "args": []int{1, 2}, "options": dict{"ignore_result": true}})
	job := take(t, queue)
	require.Equal(t, id, job.ID)
	require.NoError(t, queue.Finish(t.Context(), job, 3, nil))
	require.Nil(t, stored(t, queue, id))
}

// TestPriorities: kombu puts messages into its lists, and they are taken by priority, then age.
func TestPriorities(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, nil)
	producer := startProducer(t, server, 2)
	queue := newQueue(t, server, Config{})
	want := []string{}
	for _, priority := range []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 5} {
		want = append(want, fmt.Sprint(priority, " ", producer.send(dict{"name": "x", "args": []int{priority}, "options": dict{"priority": priority}})))
	}
	want = []string{want[7], want[8], want[9], want[10], want[4], want[5], want[6], want[11], want[1], want[2], want[3], want[0]}
	var got []string
	for range want {
		job := take(t, queue)
		var priority int
		require.NoError(t, Args(job, &priority))
		got = append(got, fmt.Sprint(priority, " ", job.ID))
	}
	require.Equal(t, want, got)
	// Ours go into the same.
	for priority := range 10 {
		require.Equal(t, map[int]string{0: "celery", 3: "celery\x06\x163", 6: "celery\x06\x166", 9: "celery\x06\x169"}[priority/3*3], queue.list("celery", priority))
	}
}

// TestGoAsksPython: what Send sends, what is given back and what a dead Go worker leaves is run by a Celery worker.
func TestGoAsksPython(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, nil)
	queue := newQueue(t, server, Config{Lease: time.Second})
	send := func(task Task) string {
		id, err := queue.Send(t.Context(), task)
		require.NoError(t, err)
		return id
	}
	back := send(Task{Name: "tasks.mark"})
	require.NoError(t, queue.GiveBack(t.Context(), take(t, queue)))
	abandoned := send(Task{Name: "tasks.mark"})
	// Both are taken, and nobody renews their leases; a third one is how it is noticed that they are back.
	require.Equal(t, back, take(t, queue).ID)
	require.Equal(t, abandoned, take(t, queue).ID)
	second := newQueue(t, server, Config{Lease: time.Second})
	again := take(t, second)
	require.Equal(t, back, again.ID)
	require.Equal(t, 2, again.Attempt)
	require.NoError(t, second.GiveBack(t.Context(), again))

	startPythonWorker(t, server)
	await := func(id string) map[string]any {
		var meta map[string]any
		eventually(t, func() bool { meta = stored(t, queue, id); return meta != nil })
		require.Equal(t, "SUCCESS", meta["status"], "%v", meta)
		return meta
	}
	require.Equal(t, map[string]any{"by": "python", "redelivered": true, "priority": 0.0}, await(back)["result"])
	require.Equal(t, map[string]any{"by": "python", "redelivered": true, "priority": 0.0}, await(abandoned)["result"])
	require.Equal(t, 5.0, await(send(Task{Name: "tasks.add", Args: []any{2, 3}}))["result"])
	require.Equal(t, 5.0, await(send(Task{Name: "tasks.add", Kwargs: map[string]any{"a": 2, "b": 3}, ID: "my-own"}))["result"])
	require.Equal(t, 9.0, await(send(Task{Name: "tasks.mark", Priority: 9}))["result"].(map[string]any)["priority"])
	require.Equal(t, 3.0, await(send(Task{Name: "tasks.add", Args: []any{1, 2}, ETA: time.Now().Add(300 * time.Millisecond), Expires: time.Now().Add(time.Hour)}))["result"])
	late := send(Task{Name: "tasks.add", Args: []any{1, 2}, Expires: time.Now().Add(-time.Second)})
	ignored := send(Task{Name: "tasks.add", Args: []any{1, 2}, IgnoreResult: true})
	await(send(Task{Name: "tasks.mark"})) // after these
	require.Equal(t, "REVOKED", stored(t, queue, late)["status"])
	require.Nil(t, stored(t, queue, ignored))
}

// TestPythonAndGoTogether: workers of both kinds take from one queue, each job once.
func TestPythonAndGoTogether(t *testing.T) {
	t.Parallel()
	server := pgtest.Redis(t, nil)
	queue := newQueue(t, server, Config{})
	results := watchResults(t, queue)
	startPythonWorker(t, server)
	const jobs = 300
	want := map[string]int{}
	w := startWorker(t, worker.Config{Queue: queue, Capacity: 2, Handlers: map[string]worker.Handler{"tasks.add": add}})
	for i := range jobs {
		id, err := queue.Send(t.Context(), Task{Name: "tasks.add", Args: []any{i, 1}, Priority: i % 10})
		require.NoError(t, err)
		want[id] = 1
	}
	eventually(t, func() bool { return len(results.counts(t)) == jobs })
	require.Equal(t, want, results.counts(t))
	byGo := w.Status().Counts.Finished
	t.Logf("%d jobs: %d in Go, %d in Python", jobs, byGo, jobs-byGo)
	require.NotZero(t, byGo)
	require.Less(t, byGo, uint64(jobs))
	require.False(t, bytes.ContainsAny([]byte(strings.Join(leftovers(t, queue), "")), "\x06"), "no list is left")
}
