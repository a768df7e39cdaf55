package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// plan is what a worker of the tests does, in a file: the queue, the leases and the results are files beside it.
type plan struct {
	Jobs  []string // names
	State string   // the state directory
	Queue string
	Lines int
	Slots int
	Lease time.Duration // RenewEvery
}

type outcome struct {
	Token  int64
	Result Result
	Log    string
}

// script is a job that says so when somebody else runs it at the same time, and prints lines. A job whose name ends in "stop" then waits to be stopped.
func (p plan) script(id string) string {
	wait := "exit 5"
	if strings.HasSuffix(id, "stop") {
		wait = "sleep 1000"
	}
	return fmt.Sprintf(`exec 9>%s/%s.running; flock -n 9 || echo TWICE; i=0; while [ $i -lt %d ]; do echo "%s line $i"; i=$((i+1)); done; %s`, p.Queue, id, p.Lines, id, wait)
}

func (p plan) log(id string) string {
	var b strings.Builder
	for i := range p.Lines {
		fmt.Fprintf(&b, "%s line %d\n", id, i)
	}
	return b.String()
}

// work is the worker: it ends when each job has a result.
func work(file string) error {
	if err := os.Setenv("SUPERVISE_TEST_PID", strconv.Itoa(os.Getpid())); err != nil { // for its shims
		return err
	}
	var p plan
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return err
	}
	cfg := Config{Dir: p.State, Slots: p.Slots}
	cfg.faults = testFaults(func(victims string) {
		if victims != "worker" {
			killShims(p.State)
		}
		if victims != "shim" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	s, err := New(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	jobs, err := s.Adopt(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, len(p.Jobs)+len(jobs))
	taken := map[string]bool{}
	slots := make(chan struct{}, p.Slots)
	see := func(j *Job, id string) {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			failed <- p.care(ctx, s, j, id)
		})
	}
	for _, j := range jobs {
		taken[j.ID()] = true
		see(j, j.ID())
	}
	for _, id := range p.Jobs {
		if taken[id] || exists(filepath.Join(p.Queue, id+".result")) {
			continue
		}
		see(nil, id)
	}
	wg.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return errors.Join(err, s.Close())
}

// care sees a job to its result; j is nil when it has to be started.
func (p plan) care(ctx context.Context, s *Supervisor, j *Job, id string) error {
	for {
		if j == nil {
			token, err := p.take(id)
			if err != nil {
				return err
			}
			meta, err := json.Marshal(leaseFile{filepath.Join(p.Queue, id+".lease")})
			if err != nil {
				return err
			}
			j, err = s.Start(ctx, Spec{ID: id, Token: token, Args: []string{"sh", "-c", p.script(id)}, Meta: meta, RenewEvery: p.Lease})
			if errors.Is(err, ErrNoSlot) || (err != nil && strings.Contains(err.Error(), "the shim ended before the job began")) {
				j = nil
				wait(ctx, time.Millisecond)
				if ctx.Err() != nil {
					return err
				}
				continue // it was killed; or the slot is not free yet
			}
			if err != nil {
				return err
			}
		}
		if strings.HasSuffix(id, "stop") {
			if err := p.stopAfterLast(ctx, j); err != nil {
				return err
			}
		}
		r, err := j.Wait(ctx)
		if err != nil {
			return err
		}
		if !r.Interrupted() {
			if err := p.record(j, r); err != nil {
				return err
			}
			return j.Done(ctx)
		}
		if err := j.Done(ctx); err != nil {
			return err
		}
		j = nil
	}
}

// stopAfterLast stops a job when it has written all its lines.
func (p plan) stopAfterLast(ctx context.Context, j *Job) error {
	for !j.over() {
		if info, err := os.Stat(j.path(logFile)); err == nil && info.Size() >= int64(len(p.log(j.ID()))) {
			return j.Stop(ctx, time.Second)
		}
		wait(ctx, time.Millisecond)
	}
	return nil
}

// take is what the queue does: it gives out a job under the next token. There is one worker, so nobody else writes the file.
func (p plan) take(id string) (int64, error) {
	path := filepath.Join(p.Queue, id+".lease")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	token, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	token++
	return token, writeFile(path, []byte(strconv.FormatInt(token, 10)))
}

func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path+".tmp", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// record is what the queue does with a result: the first one under the token stands, another one is noted.
func (p plan) record(j *Job, r Result) error {
	log, err := os.ReadFile(j.path(logFile))
	if err != nil {
		return err
	}
	spec, err := j.Spec()
	if err != nil {
		return err
	}
	path := filepath.Join(p.Queue, j.ID()+".result")
	if text, err := os.ReadFile(path); err == nil {
		var before outcome
		if err := json.Unmarshal(text, &before); err != nil {
			return err
		}
		if before.Token != spec.Token {
			return os.WriteFile(filepath.Join(p.Queue, j.ID()+".second"), text, 0o600)
		}
		return nil
	}
	text, err := json.Marshal(outcome{spec.Token, r, string(log)})
	if err != nil {
		return err
	}
	return writeFile(path, text)
}

// killShims kills those that are on record.
func killShims(state string) {
	entries, _ := os.ReadDir(filepath.Join(state, jobsDir))
	for _, e := range entries {
		var shim processRecord
		if readRecord(filepath.Join(state, jobsDir, e.Name(), shimFile), &shim) == nil {
			kill(shim.PID, shim.Start)
		}
	}
}

// newPlan makes the directories and the plan's file.
func newPlan(t *testing.T, p plan) (plan, string) {
	t.Helper()
	need.Binary(t, "flock")
	dir := t.TempDir()
	p.State, p.Queue = filepath.Join(dir, "state"), filepath.Join(dir, "queue")
	require.NoError(t, os.Mkdir(p.Queue, 0o700))
	text, err := json.Marshal(p)
	require.NoError(t, err)
	file := filepath.Join(dir, "plan.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	t.Cleanup(func() {
		for _, id := range p.Jobs {
			sweep(t, id)
		}
	})
	return p, file
}

// workerProcess starts the worker of a plan.
func workerProcess(t *testing.T, file, kills string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), "SUPERVISE_TEST_WORKER="+file, "SUPERVISE_TEST_KILL="+kills)
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	return cmd, &said
}

// audit: each job has exactly one result, and its log is whole; nothing is left.
func (p plan) audit(t *testing.T) {
	t.Helper()
	for _, id := range p.Jobs {
		text, err := os.ReadFile(filepath.Join(p.Queue, id+".result"))
		require.NoError(t, err, "the job has vanished")
		var o outcome
		require.NoError(t, json.Unmarshal(text, &o))
		want := Result{Outcome: Exited, Code: 5}
		if strings.HasSuffix(id, "stop") {
			want = Result{Outcome: Stopped, Code: -1, Signal: int(syscall.SIGTERM)}
		}
		require.Equal(t, want, Result{Outcome: o.Result.Outcome, Code: o.Result.Code, Signal: o.Result.Signal, LogLost: o.Result.LogLost, Err: o.Result.Err}, id)
		require.Equal(t, p.log(id), o.Log, id)
		require.NoFileExists(t, filepath.Join(p.Queue, id+".second"))
		until(t, "no process of "+id+" is left", func() bool { return len(of(t, id)) == 0 }) // a shim lets go of its lock, then it is gone
	}
	for _, dir := range []string{jobsDir, freshDir, trashDir} {
		require.Empty(t, names(t, p.State, dir))
	}
}

// before lists the points that are only come to after something has gone wrong already.
func before(p point) []string {
	if p == buried {
		return []string{string(jobForked) + "|both"}
	}
	return nil
}

// TestKilledAtEachPoint kills the worker, the shim, and both, at every point of a job's life, starts the worker again, and audits.
func TestKilledAtEachPoint(t *testing.T) {
	for _, p := range points() {
		for _, victims := range []string{"worker", "shim", "both"} {
			t.Run(strings.ReplaceAll(string(p), " ", "_")+"/"+victims, func(t *testing.T) {
				t.Parallel()
				name := "fault" + strconv.FormatUint(rand.Uint64(), 36)
				w, file := newPlan(t, plan{Jobs: []string{name + "-1", name + "-2", name + "-stop"}, Lines: 100, Slots: 3, Lease: 50 * time.Millisecond})
				var kills []string
				for i, entry := range append(before(p), string(p)+"|"+victims) {
					kills = append(kills, entry+"|"+filepath.Join(w.Queue, fmt.Sprintf("killed.%d", i)))
				}
				runs := 0
				for ; ; runs++ {
					require.Less(t, runs, 10)
					cmd, said := workerProcess(t, file, strings.Join(kills, ";"))
					err := cmd.Wait()
					if err == nil {
						break
					}
					require.Contains(t, err.Error(), "signal: killed", said.String())
				}
				for i := range kills {
					require.FileExists(t, filepath.Join(w.Queue, fmt.Sprintf("killed.%d", i)), "the point was not come to")
				}
				w.audit(t)
			})
		}
	}
}

// TestSoakRandomKills kills the worker, one of its shims, or both, at random moments, a hundred times or as long as HA_SOAK says, starts the worker again
// whenever it has died, and audits.
func TestSoakRandomKills(t *testing.T) {
	rounds, until := 100, time.Time{}
	if text := os.Getenv("HA_SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		rounds, until = 1<<30, time.Now().Add(d)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	killed := map[string]int{}
	jobs := 0
	for n := 0; n < rounds && (until.IsZero() || time.Now().Before(until)); {
		name := "soak" + strconv.FormatUint(random.Uint64(), 36)
		var ids []string
		for i := range 60 {
			ids = append(ids, fmt.Sprintf("%s-%d", name, i))
		}
		jobs += len(ids)
		w, file := newPlan(t, plan{Jobs: ids, Lines: 2000, Slots: 4, Lease: 50 * time.Millisecond})
		for over := false; !over; {
			cmd, said := workerProcess(t, file, "")
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for dead := false; !dead; {
				var err error
				select {
				case err = <-ended:
					dead = true
				case <-time.After(time.Duration(random.IntN(120)) * time.Millisecond):
				}
				switch {
				case dead && err == nil:
					over = true
				case dead:
					require.Contains(t, err.Error(), "signal: killed", said.String())
				default:
					what := []string{"worker", "shim", "shim", "both"}[random.IntN(4)]
					if what != "worker" {
						killOneShim(random, w.State)
					}
					if what != "shim" {
						_ = cmd.Process.Kill()
					}
					killed[what]++
					n++
				}
			}
		}
		w.audit(t)
	}
	t.Logf("%d jobs, killed: %v", jobs, killed)
}

func killOneShim(random *rand.Rand, state string) {
	entries, _ := os.ReadDir(filepath.Join(state, jobsDir))
	if len(entries) == 0 {
		return
	}
	var shim processRecord
	if readRecord(filepath.Join(state, jobsDir, entries[random.IntN(len(entries))].Name(), shimFile), &shim) == nil {
		kill(shim.PID, shim.Start)
	}
}
