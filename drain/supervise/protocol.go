package supervise

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// The protocol, version 1: a client sends a request, a line of JSON, and gets a response, a line of JSON, any number of times on one
// connection. What takes long answers after pollTime at the latest, and is asked again. A field that is not known is passed over, an
// operation that is not known is answered with an error. Only the shim's own user, and root, are answered.
type request struct {
	V  int    `json:"v"`
	Op string `json:"op"`
	// GraceMS is of opStop: from SIGTERM to SIGKILL; 0 is SIGKILL at once.
	GraceMS int64 `json:"grace_ms,omitempty"`
	// Offset is of opLog.
	Offset int64 `json:"offset_bytes,omitempty"`
}

const (
	opWait = "wait" // answers with the result when the job has ended
	opLog  = "log"  // answers when the log is longer than the offset or the job has ended
	opStop = "stop" // stops the job; answers at once
	opDone = "done" // the result has been collected: the shim may end; refused while the job runs
)

type response struct {
	V     int    `json:"v"`
	Error string `json:"error,omitempty"`
	// Result is of opWait, once there is one.
	Result *Result `json:"result,omitempty"`
	// Size is of opLog: the log's size.
	Size int64 `json:"size_bytes,omitempty"`
	// Complete is of opLog: the job has ended and nothing is added to the log.
	Complete bool `json:"complete,omitempty"`
}

// pollTime is when opWait and opLog answer though there is nothing new. answerTime is how long a shim has to answer.
const pollTime, answerTime = 20 * time.Second, 30 * time.Second

// maxLine is the size of a request or response in bytes.
const maxLine = 64 << 10

// client is a connection to a shim, for one call at a time.
type client struct {
	conn *net.UnixConn
	r    *bufio.Reader
}

// dial connects to the shim of a job's directory.
func dial(ctx context.Context, dir string) (*client, error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn.(*net.UnixConn), r: bufio.NewReaderSize(conn, maxLine)}
	if err := checkPeer(c.conn); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *client) close() { _ = c.conn.Close() }

// call sends a request and returns the response; an error in it is an error. After one, the connection is of no use.
func (c *client) call(ctx context.Context, req request) (response, error) {
	req.V = version
	if err := c.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return response{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })() // not before: it must have the last word
	text, err := json.Marshal(req)
	if err != nil {
		return response{}, err
	}
	var resp response
	_, err = c.conn.Write(append(text, '\n'))
	if failed := readLine(c.r, &resp); err == nil || failed == nil {
		err = failed // who hangs up may have said why
	}
	switch {
	case ctx.Err() != nil:
		return response{}, ctx.Err()
	case err != nil:
		return response{}, err
	case resp.Error != "":
		return response{}, errors.New(resp.Error)
	}
	return resp, nil
}

// readLine reads a line of JSON, maxLine bytes at most.
func readLine(r *bufio.Reader, into any) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("a line that is not understood: %w", err)
	}
	return nil
}
