package celery

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
)

// object is a JSON object whose keys are as they are written: encoding/json would take "Body" for "body", which Python does not.
type object map[string]json.RawMessage

// message is what is known of a task from its message. What cannot be read leaves the fields that could be.
type message struct {
	id, name     string
	args, kwargs json.RawMessage
	eta, expires time.Time // zero: none
	limit        time.Duration
	meta         meta
	attempts     int // workers that have died with it
}

// meta is what a result needs to know of its message.
type meta struct {
	GroupID      string `json:"group_id,omitempty"`
	ParentID     string `json:"parent_id,omitempty"`
	IgnoreResult bool   `json:"ignore_result,omitempty"`
}

// payload is worker.Job.Payload.
type payload struct {
	Args   json.RawMessage `json:"args"`
	Kwargs json.RawMessage `json:"kwargs"`
}

// attemptsHeader counts the workers that have died with a message. kombu and Celery hand on headers that they do not know.
const attemptsHeader = "ha-attempts"

// bodyLimit bounds what a compressed body may become, in bytes.
const bodyLimit = 64 << 20

// parse reads a message as kombu (kombu/transport/virtual/base.py Message, kombu/message.py) and Celery do (celery/worker/consumer/consumer.py
// create_task_handler, celery/worker/strategy.py). The message is never nil.
func parse(raw []byte, local *time.Location) (*message, error) {
	m := &message{}
	var envelope, headers, properties object
	if !utf8.Valid(raw) {
		return m, errors.New("the message is not UTF-8")
	}
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return m, fmt.Errorf("the message is not a JSON object: %w", err)
	}
	if envelope == nil {
		return m, errors.New("the message is not a JSON object: it is null")
	}
	err := errors.Join(envelope.get("headers", &headers), envelope.get("properties", &properties))
	if err != nil {
		return m, err
	}
	if err := headers.get(attemptsHeader, &m.attempts); err != nil {
		return m, err
	}
	_, v2 := headers["task"]
	if v2 {
		// The head first: a body that cannot be read is then answered for by its ID.
		if err := m.readHead(headers, local, true); err != nil {
			return m, err
		}
	}
	body, err := readBody(envelope, headers, properties)
	if err != nil {
		return m, err
	}
	if v2 {
		return m, m.readV2(body)
	}
	return m, m.readV1(body, local)
}

// get reads a member, if it is there and not null.
func (o object) get(key string, into any) error {
	raw, ok := o[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	return nil
}

// readHead reads what protocol 2 has in the headers, and protocol 1 in the body.
func (m *message) readHead(from object, local *time.Location, utc bool) error {
	var eta, expires string
	var limits []*float64
	err := errors.Join(from.get("id", &m.id), from.get("task", &m.name), from.get("eta", &eta), from.get("expires", &expires), from.get("timelimit", &limits),
		from.get("group", &m.meta.GroupID), from.get("parent_id", &m.meta.ParentID), from.get("ignore_result", &m.meta.IgnoreResult))
	if err != nil {
		return err
	}
	if m.id == "" || m.name == "" {
		return fmt.Errorf("the task has no id (%q) or no name (%q)", m.id, m.name)
	}
	for _, seconds := range limits {
		if seconds == nil || *seconds <= 0 {
			continue
		}
		if limit := time.Duration(*seconds * float64(time.Second)); limit > 0 && (m.limit == 0 || limit < m.limit) {
			m.limit = limit
		}
	}
	if m.eta, err = parseTime(eta, local, utc); err != nil {
		return fmt.Errorf("eta: %w", err)
	}
	if m.expires, err = parseTime(expires, local, utc); err != nil {
		return fmt.Errorf("expires: %w", err)
	}
	return nil
}

// readV2 reads a body of protocol 2: the arguments, and what is to happen afterwards.
func (m *message) readV2(body []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		var hybrid object // strategy.py, hybrid_to_proto2
		if json.Unmarshal(body, &hybrid) == nil && hybrid["args"] != nil {
			return m.readArgs(hybrid["args"], hybrid["kwargs"], hybrid)
		}
		return fmt.Errorf("the body is not [args, kwargs, embed]: %w", err)
	}
	if len(parts) != 3 {
		return fmt.Errorf("the body has %d parts instead of args, kwargs, embed", len(parts))
	}
	var embed object
	if err := json.Unmarshal(parts[2], &embed); err != nil {
		return fmt.Errorf("the body's embed: %w", err)
	}
	return m.readArgs(parts[0], parts[1], embed)
}

// readV1 reads a body of protocol 1, which has everything.
func (m *message) readV1(body []byte, local *time.Location) error {
	var all object
	if err := json.Unmarshal(body, &all); err != nil {
		return fmt.Errorf("neither a task in the headers (protocol 2) nor in the body (protocol 1): %w", err)
	}
	utc := true
	if err := all.get("utc", &utc); err != nil {
		return err
	}
	if err := m.readHead(all, local, utc); err != nil {
		return err
	}
	return m.readArgs(all["args"], all["kwargs"], all)
}

func (m *message) readArgs(args, kwargs json.RawMessage, embed object) error {
	var list []json.RawMessage
	var named object
	if args == nil {
		args = json.RawMessage("null")
	}
	if kwargs == nil {
		kwargs = json.RawMessage("null")
	}
	if err := errors.Join(json.Unmarshal(args, &list), json.Unmarshal(kwargs, &named)); err != nil {
		return fmt.Errorf("the arguments are not a list and an object: %w", err)
	}
	m.args, m.kwargs = args, kwargs
	for _, key := range []string{"callbacks", "errbacks", "chain", "chord"} {
		switch string(bytes.TrimSpace(embed[key])) {
		case "", "null", "[]", "{}":
		default:
			return fmt.Errorf("the task asks for %s, which this worker does not do: a worker in Python must take it", key)
		}
	}
	return nil
}

// readBody decodes, and decompresses.
func readBody(envelope, headers, properties object) ([]byte, error) {
	var text, contentType, charset, encoding, compression string
	err := errors.Join(envelope.get("body", &text), envelope.get("content-type", &contentType), envelope.get("content-encoding", &charset),
		properties.get("body_encoding", &encoding), headers.get("compression", &compression))
	if err != nil {
		return nil, err
	}
	if contentType != "application/json" {
		return nil, fmt.Errorf("the body is %q: this worker reads application/json (task_serializer = \"json\")", contentType)
	}
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
	default:
		return nil, fmt.Errorf("the body is in %q: this worker reads utf-8", charset)
	}
	body := []byte(text)
	switch encoding {
	case "":
	case "base64":
		if body, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("the body: %w", err)
		}
	default:
		return nil, fmt.Errorf("the body's encoding is %q: this worker reads base64 and plain text", encoding)
	}
	if body, err = decompress(body, compression, bodyLimit); err != nil {
		return nil, fmt.Errorf("decompressing the body: %w", err)
	}
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	if !json.Valid(body) {
		return nil, errors.New("the body is not JSON (NaN and Infinity, which Python writes, are not)")
	}
	return body, nil
}

// decompress undoes kombu/compression.py, by its content types and aliases. The result may have limit bytes.
func decompress(body []byte, compression string, limit int64) ([]byte, error) {
	var r io.Reader
	var err error
	switch compression {
	case "":
		return body, nil
	case "application/x-gzip", "gzip", "zlib": // all of them zlib.compress
		if r, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
			return nil, err
		}
	case "application/x-bz2", "bzip2", "bzip":
		r = bzip2.NewReader(bytes.NewReader(body))
	default:
		return nil, fmt.Errorf("%q is not known here: zlib and bzip2 are", compression)
	}
	body, err = io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("it is longer than %d bytes", limit)
	}
	return body, err
}

// parseTime reads what datetime.isoformat writes, and RFC 3339, as gocelery does. A time without a zone is in UTC, unless protocol 1 says that
// it is not.
func parseTime(text string, local *time.Location, utc bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if len(text) > 10 && text[10] == ' ' {
		text = text[:10] + "T" + text[11:]
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	zone := time.UTC
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		if _, err := time.Parse(layout, text); err != nil {
			continue
		}
		if !utc {
			zone = local
		}
		if zone == nil {
			return time.Time{}, fmt.Errorf("%q is in the producer's own time zone (enable_utc is off there): set Config.Location to it", text)
		}
		return time.ParseInLocation(layout, text, zone)
	}
	return time.Time{}, fmt.Errorf("%q is not an ISO 8601 time", text)
}

// again is the message as it goes back after a worker died with it: marked as redelivered, as kombu does (kombu/transport/redis.py,
// _do_restore_message), and with the workers that died with it counted. All else is as it was.
func again(raw []byte, attempts int) ([]byte, error) {
	var envelope, headers, properties, delivery object
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return nil, fmt.Errorf("the message is not a JSON object: %w", err)
	}
	if envelope == nil {
		return nil, errors.New("the message is not a JSON object: it is null")
	}
	if err := errors.Join(envelope.get("headers", &headers), envelope.get("properties", &properties), properties.get("delivery_info", &delivery)); err != nil {
		return nil, err
	}
	if headers == nil {
		headers = object{}
	}
	headers["redelivered"] = json.RawMessage("true")
	headers[attemptsHeader] = fmt.Append(nil, attempts)
	if delivery != nil {
		delivery["redelivered"] = json.RawMessage("true")
		properties["delivery_info"], _ = json.Marshal(delivery) // of valid JSON
	}
	if properties != nil {
		envelope["properties"], _ = json.Marshal(properties)
	}
	envelope["headers"], _ = json.Marshal(headers)
	return json.Marshal(envelope)
}

// job is the message as the worker has it.
func (m *message) job(t *taken) *worker.Job {
	text, _ := json.Marshal(payload{Args: m.args, Kwargs: m.kwargs}) // of valid JSON
	about, _ := json.Marshal(m.meta)
	return &worker.Job{ID: m.id, Name: m.name, Payload: text, Attempt: m.attempts + 1, Limit: m.limit, Token: t.token, Receipt: t.receipt, Taken: t.at, Meta: about}
}

// Args stores the positional arguments of the job's task into pointers, as encoding/json does. Their number must be that of the pointers.
func Args(job *worker.Job, into ...any) error {
	var p payload
	var args []json.RawMessage
	if err := json.Unmarshal(job.Payload, &p); err != nil {
		return fmt.Errorf("the arguments of %s: %w", job.Name, err)
	}
	if err := json.Unmarshal(p.Args, &args); err != nil {
		return fmt.Errorf("the arguments of %s: %w", job.Name, err)
	}
	if len(args) != len(into) {
		return fmt.Errorf("%s takes %d arguments, not %d", job.Name, len(into), len(args))
	}
	for i, arg := range args {
		if err := json.Unmarshal(arg, into[i]); err != nil {
			return fmt.Errorf("argument %d of %s: %w", i+1, job.Name, err)
		}
	}
	return nil
}

// Kwargs stores the named arguments of the job's task into a pointer to a struct or a map, as encoding/json does.
func Kwargs(job *worker.Job, into any) error {
	var p payload
	err := json.Unmarshal(job.Payload, &p)
	if err == nil {
		err = json.Unmarshal(p.Kwargs, into)
	}
	if err != nil {
		return fmt.Errorf("the named arguments of %s: %w", job.Name, err)
	}
	return nil
}
