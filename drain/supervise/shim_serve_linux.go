package supervise

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// serve answers until the listener is closed.
func (sh *shim) serve(l *net.UnixListener) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				continue
			}
			select {
			case <-sh.done:
				return
			case <-time.After(100 * time.Millisecond): // out of descriptors
				continue
			}
		}
		go func() {
			defer func() { _ = conn.Close() }()
			if err := checkPeer(conn); err != nil {
				_ = json.NewEncoder(conn).Encode(response{V: version, Error: err.Error()})
				return
			}
			sh.converse(conn)
		}()
	}
}

func (sh *shim) converse(conn *net.UnixConn) {
	r := bufio.NewReaderSize(conn, 4096)
	for {
		var req request
		if err := readLine(r, &req); err != nil {
			return
		}
		if !sh.reply(conn, req) {
			return
		}
	}
}

func (sh *shim) reply(conn *net.UnixConn, req request) bool {
	sh.mu.Lock()
	sh.answering++
	sh.mu.Unlock()
	defer func() {
		sh.mu.Lock()
		sh.answering--
		sh.mu.Unlock()
		sh.change()
	}()
	resp := sh.answer(req)
	resp.V = version
	if err := conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
		return false
	}
	if err := json.NewEncoder(conn).Encode(resp); err != nil {
		return false
	}
	if req.Op == opDone && resp.Error == "" {
		sh.mu.Lock()
		defer sh.mu.Unlock()
		select {
		case <-sh.done:
		default:
			close(sh.done)
		}
	}
	return true
}

func (sh *shim) answer(req request) response {
	switch req.Op {
	case opWait:
		var resp response
		sh.await(func() bool { resp.Result = sh.result; return sh.result != nil }, pollTime)
		return resp
	case opLog:
		var resp response
		sh.await(func() bool {
			if sh.log != nil {
				resp.Size = sh.log.size.Load()
			}
			resp.Complete = sh.result != nil
			return resp.Complete || resp.Size > req.Offset
		}, pollTime)
		return resp
	case opStop:
		sh.mu.Lock()
		over := sh.result != nil
		sh.mu.Unlock()
		if !over {
			sh.stop(time.Duration(req.GraceMS) * time.Millisecond)
		}
		return response{}
	case opDone:
		sh.mu.Lock()
		defer sh.mu.Unlock()
		if sh.result == nil {
			return response{Error: "the job has not ended"}
		}
		return response{}
	}
	return response{Error: fmt.Sprintf("the shim speaks version %d, which has no operation %q", version, req.Op)}
}

// await waits until the condition, which is asked with mu held, is true, but not longer than limit.
func (sh *shim) await(condition func() bool, limit time.Duration) {
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		sh.mu.Lock()
		ok, changed := condition(), sh.changed
		sh.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			return
		}
	}
}

// stop hands the order to the one who watches the job, unless it comes to its end first.
func (sh *shim) stop(grace time.Duration) {
	for {
		sh.mu.Lock()
		over, changed := sh.result != nil, sh.changed
		sh.mu.Unlock()
		if over {
			return
		}
		select {
		case sh.stops <- grace:
			return
		case <-changed:
		}
	}
}
