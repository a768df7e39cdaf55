package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Log reads the job's output, both standard output and standard error, from an offset in bytes, and follows it: a Read waits for more, and returns io.EOF when the
// job has ended and all was read. A reader that is open when the job is removed still has all of it. Reading ends with ctx; the caller closes the reader.
func (j *Job) Log(ctx context.Context, offset int64) (io.ReadCloser, error) {
	if offset < 0 {
		return nil, fmt.Errorf("supervise: reading the log of job %s: offset %d is negative", j.id, offset)
	}
	f, err := os.Open(j.path(logFile))
	if err != nil {
		return nil, fmt.Errorf("supervise: reading the log of job %s: %w", j.id, err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	return &logReader{job: j, ctx: ctx, stop: stop, file: f, offset: offset}, nil
}

// logReader reads the file; it asks the shim only when there is more.
type logReader struct {
	job  *Job
	ctx  context.Context
	stop context.CancelCauseFunc
	file *os.File

	mu       sync.Mutex
	offset   int64
	complete bool // nothing is added any more
	shim     *client
}

func (r *logReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.ctx.Err() != nil {
			return 0, context.Cause(r.ctx)
		}
		n, err := r.file.ReadAt(p, r.offset)
		switch {
		case n > 0:
			r.offset += int64(n)
			return n, nil
		case err != nil && !errors.Is(err, io.EOF):
			return 0, err
		case r.complete:
			return 0, io.EOF
		}
		r.more()
	}
}

// more waits until there may be more.
func (r *logReader) more() {
	if r.job.over() {
		r.complete = true
		return
	}
	if r.shim == nil {
		r.shim, _ = dial(r.ctx, r.job.dir)
	}
	if r.shim != nil {
		resp, err := r.shim.call(r.ctx, request{Op: opLog, Offset: r.offset})
		if err == nil {
			r.complete = resp.Complete // what there is now is all; it is still to be read
			return
		}
		r.hangUp()
	}
	select { // there is no shim yet, or none any more, which the job's watch finds out
	case <-r.job.ended:
	case <-r.job.closed:
		r.stop(ErrClosed)
	case <-time.After(20 * time.Millisecond):
	case <-r.ctx.Done():
	}
}

func (r *logReader) hangUp() {
	if r.shim != nil {
		r.shim.close()
		r.shim = nil
	}
}

// Close ends a Read that waits.
func (r *logReader) Close() error {
	r.stop(os.ErrClosed)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hangUp()
	return r.file.Close()
}
