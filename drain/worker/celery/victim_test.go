package celery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/internal/fault"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// victimVariable makes the test binary a worker, which it describes.
const victimVariable = "HA_CELERY_VICTIM"

// order says which worker.
type order struct {
	URL, Queue, Prefix string
	Lease              time.Duration
	Attempts           int
	Point              fault.Point // where it dies by SIGKILL; "" nowhere
	Nth                int64       // the how manieth time that it comes there
	DrainAfter         uint64      // jobs finished: it then leaves, at a deadline of 10 ms
}

func (o order) config() Config {
	return Config{URL: o.URL, Queues: []string{o.Queue}, Prefix: o.Prefix, Lease: o.Lease, Attempts: o.Attempts}
}

// victim is a worker of this order. It says "ready" and works until SIGTERM.
func victim() {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(victimVariable)), &o); err != nil {
		panic(err)
	}
	passed := make(chan int64, 1)
	passed <- 0
	ctx := fault.With(context.Background(), func(p fault.Point) {
		if p != o.Point {
			return
		}
		n := <-passed + 1
		passed <- n
		if n == o.Nth {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing more happens here
		}
	})
	cfg := o.config()
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	q, err := New(cfg)
	if err != nil {
		panic(err)
	}
	note := func(job *worker.Job, what string) {
		for q.redis.RPush(ctx, "test:ledger:"+o.Queue, fmt.Sprintf("%s %s %d", what, job.ID, job.Token)).Err() != nil {
			pause(ctx, 10*time.Millisecond)
		}
	}
	work := func(takes time.Duration) worker.Handler {
		return func(ctx context.Context, job *worker.Job) (any, error) {
			note(job, "begin")
			if err := pause(ctx, takes); err != nil {
				return nil, err
			}
			note(job, "end")
			return job.Token, nil
		}
	}
	w, err := worker.New(worker.Config{Queue: q, Capacity: 2, Context: ctx, Log: cfg.Log, Grace: 200 * time.Millisecond, Handlers: map[string]worker.Handler{
		"work": work(time.Millisecond),
		"slow": work(2 * o.Lease / 3),
		"fail": func(context.Context, *worker.Job) (any, error) { return nil, errors.New("failed") },
		"back": func(ctx context.Context, job *worker.Job) (any, error) {
			if q.redis.Incr(ctx, "test:back:"+job.ID).Val() == 1 {
				return nil, worker.ErrGiveBack
			}
			return work(0)(ctx, job)
		},
	}})
	if err != nil {
		panic(err)
	}
	dc := drain.Config{LameDuck: 1, Deadline: time.Minute}
	leave, cancel := context.WithCancel(context.Background())
	defer cancel()
	if o.DrainAfter > 0 {
		dc.Deadline = 10 * time.Millisecond
		go func() {
			for w.Status().Counts.Finished < o.DrainAfter {
				pause(ctx, time.Millisecond)
			}
			cancel()
		}()
	}
	fmt.Println("ready")
	if err := drain.Main(leave, dc, w); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = q.Close()
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// process is a running victim.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan struct{}
}

// startVictim returns when it is ready. It ends with the test.
func startVictim(t *testing.T, o order) *process {
	t.Helper()
	text, err := json.Marshal(o)
	require.NoError(t, err)
	p := &process{cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	// With -race a process lingers for a second when it ends, unless it is told not to (go.dev/doc/articles/race_detector).
	p.cmd.Env = append(os.Environ(), victimVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.stop(syscall.SIGKILL) })
	_, err = fmt.Fscanln(out, new(string))
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	if err != nil {
		<-p.ended
		t.Fatalf("a worker did not start: %s", p.stderr.String())
	}
	return p
}

// stop ends it and returns what it said.
func (p *process) stop(sig syscall.Signal) string {
	_ = p.cmd.Process.Signal(sig)
	<-p.ended
	return p.stderr.String()
}

// dies waits until it has died by SIGKILL.
func (p *process) dies(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		t.Fatalf("it never came to the point where it dies:\n%s", p.stop(syscall.SIGKILL))
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("it ended with %s:\n%s", p.cmd.ProcessState, p.stderr.String())
	}
}

// ledger are the settings of a server whose append-only file is a ledger: it has each command that changed anything, since the beginning.
func ledger() map[string]string { return map[string]string{"auto-aof-rewrite-percentage": "0"} }

// recorded returns how often a result was stored, by the tasks' IDs.
func recorded(t *testing.T, server *pgtest.RedisServer) map[string]int {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(server.Socket), "appendonly*", "*.incr.aof"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	counts := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		// *5 SET key value PXAT milliseconds, each with its length before it.
		for _, m := range regexp.MustCompile(`\$3\r\nSET\r\n\$\d+\r\ncelery-task-meta-([^\r]+)\r\n`).FindAllSubmatch(text, -1) {
			counts[string(m[1])]++
		}
	}
	return counts
}

// audit says what is wrong once all jobs are done: each must have one result, and nothing may be left but so many dead letters.
func audit(t *testing.T, server *pgtest.RedisServer, q *Queue, o order, want map[string]string, letters int) error {
	var errs []error
	counts := recorded(t, server)
	for id, status := range want {
		if counts[id] != 1 {
			errs = append(errs, fmt.Errorf("%s has %d results", id, counts[id]))
			continue
		}
		meta := stored(t, q, id)
		if meta == nil || meta["status"] != status {
			errs = append(errs, fmt.Errorf("%s: the result is %v, not %s", id, meta, status))
		}
	}
	entries, err := q.redis.LRange(t.Context(), "test:ledger:"+o.Queue, 0, -1).Result()
	require.NoError(t, err)
	ends := map[string]bool{}
	for _, line := range entries {
		if end, ok := strings.CutPrefix(line, "end "); ok {
			ends[end] = true
		}
	}
	for id, status := range want {
		if meta := stored(t, q, id); status == "SUCCESS" && meta != nil && !ends[fmt.Sprintf("%s %.0f", id, meta["result"])] {
			errs = append(errs, fmt.Errorf("%s: its result is of hand-out %v, which never came to its end", id, meta["result"]))
		}
	}
	dead, err := q.Dead(t.Context(), 1000)
	require.NoError(t, err)
	if len(dead) != letters {
		errs = append(errs, fmt.Errorf("%d dead letters, not %d: %v", len(dead), letters, dead))
	}
	keys, err := q.redis.Keys(t.Context(), o.Prefix+"*").Result()
	require.NoError(t, err)
	for _, key := range keys {
		if rest := strings.TrimPrefix(key, o.Prefix); rest != "token" && rest != "dead" && !strings.HasPrefix(rest, "done:") && !strings.HasPrefix(rest, "sent:") {
			errs = append(errs, fmt.Errorf("%s is left", key))
		}
	}
	for _, list := range q.lists() {
		if n := q.redis.LLen(t.Context(), list).Val(); n > 0 {
			errs = append(errs, fmt.Errorf("%d messages are left in %s", n, list))
		}
	}
	return errors.Join(errs...)
}

// done waits until every job has a result, and nothing is under way.
func done(t *testing.T, q *Queue, o order, want map[string]string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		under, err := q.redis.ZCard(t.Context(), o.Prefix+"leases").Result()
		missing := 0
		for id := range want {
			if n, e := q.redis.Exists(t.Context(), "celery-task-meta-"+id).Result(); n == 0 || e != nil {
				missing++
				break
			}
		}
		for _, list := range q.lists() {
			n, e := q.redis.LLen(t.Context(), list).Result()
			if under += n; e != nil {
				err = e
			}
		}
		if under == 0 && missing == 0 && (err == nil || errors.Is(err, redis.Nil)) {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return fmt.Errorf("after a minute %d messages are under way, results are missing: %t (%v)", under, missing > 0, err)
		}
	}
}
