package celery

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
)

// envelope is a message around a body.
func envelope(body string, headers string) string {
	if headers == "" {
		headers = "{}"
	}
	return `{"body": "` + base64.StdEncoding.EncodeToString([]byte(body)) + `", "content-type": "application/json", "content-encoding": "utf-8", "headers": ` + headers +
		`, "properties": {"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {"exchange": "", "routing_key": "celery"}}}`
}

// gocelerys is a message as gocelery writes it: protocol 1, without headers.
const gocelerys = `{"body":"eyJpZCI6ImE3IiwidGFzayI6ImJ1aWxkIiwiYXJncyI6WzEyLHsieCI6MX1dLCJrd2FyZ3MiOnt9LCJyZXRyaWVzIjowLCJldGEiOm51bGwsImV4cGlyZXMiOm51bGx9",` +
	`"content-type":"application/json","properties":{"body_encoding":"base64","correlation_id":"c","reply_to":"r","delivery_info":{"priority":0,"routing_key":"celery","exchange":"celery"},"delivery_mode":2,"delivery_tag":"d"},"content-encoding":"utf-8"}`

func TestParse(t *testing.T) {
	day := time.Date(2026, 11, 25, 17, 3, 9, 123456000, time.UTC)
	berlin := time.FixedZone("", 3600)
	const v2 = `[[1], {"k": 2}, {"callbacks": null, "errbacks": [], "chain": null, "chord": null}]`
	for name, c := range map[string]struct {
		raw  string
		want message
	}{
		"gocelery": {gocelerys, message{id: "a7", name: "build", args: []byte(`[12,{"x":1}]`), kwargs: []byte(`{}`)}},
		"protocol 2": {envelope(v2, `{"task": "t", "id": "i", "eta": "2026-11-25T17:03:09.123456+00:00", "expires": "2026-11-25T18:03:09.123456+01:00", "timelimit": [7, 1.5],
			"group": "g", "parent_id": "p", "ignore_result": true, "ha-attempts": 3}`),
			message{id: "i", name: "t", args: []byte(`[1]`), kwargs: []byte(`{"k": 2}`), eta: day, expires: day.In(berlin), limit: 1500 * time.Millisecond,
				meta: meta{GroupID: "g", ParentID: "p", IgnoreResult: true}, attempts: 3}},
		"protocol 1": {envelope(`{"task": "t", "id": "i", "eta": "2026-11-25T17:03:09.123456", "utc": true}`, ""),
			message{id: "i", name: "t", args: []byte(`null`), kwargs: []byte(`null`), eta: day}},
		"its own zone": {envelope(`{"task": "t", "id": "i", "args": [], "kwargs": {}, "expires": "2026-11-25 18:03:09.123456", "utc": false}`, ""),
			message{id: "i", name: "t", args: []byte(`[]`), kwargs: []byte(`{}`), expires: day.In(berlin)}},
		"hybrid": {envelope(`{"args": [1], "kwargs": {}}`, `{"task": "t", "id": "i"}`), message{id: "i", name: "t", args: []byte(`[1]`), kwargs: []byte(`{}`)}},
		"plain body": {`{"body": "[[], {}, null]", "content-type": "application/json", "headers": {"task": "t", "id": "i"}, "properties": {}}`,
			message{id: "i", name: "t", args: []byte(`[]`), kwargs: []byte(`{}`)}},
	} {
		m, err := parse([]byte(c.raw), berlin)
		require.NoError(t, err, name)
		require.True(t, m.eta.Equal(c.want.eta) && m.expires.Equal(c.want.expires), "%s: %s, %s", name, m.eta, m.expires)
		m.eta, m.expires, c.want.eta, c.want.expires = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		require.Equal(t, c.want, *m, name)
	}
}

func TestParseRefuses(t *testing.T) {
	head := `{"task": "t", "id": "i"}`
	for why, raw := range map[string]string{
		"not UTF-8":               "\xff",
		"not a JSON object":       `[]`,
		"object: it is null":      `null`,
		"unexpected end":          `{"a`,
		`"headers"`:               `{"headers": 1}`,
		"no id":                   envelope("[[], {}, {}]", `{"task": "t"}`),
		"no name":                 envelope(`{"id": "i"}`, ""),
		`"id": json`:              envelope("[[], {}, {}]", `{"task": "t", "id": 7}`),
		"has 2 parts":             envelope("[[], {}]", head),
		"a list and an object":    envelope("[{}, {}, {}]", head),
		"not [args, kwargs":       envelope(`"x"`, head),
		"protocol 1":              envelope(`[]`, ""),
		"body is not UTF-8":       envelope("\"\xff\"", head),
		"NaN":                     envelope("[[NaN], {}, {}]", head),
		"asks for chord":          envelope(`[[], {}, {"chord": {"task": "x"}}]`, head),
		"asks for errbacks":       envelope(`{"id": "i", "task": "t", "errbacks": [{}]}`, ""),
		`eta: "soon"`:             envelope("[[], {}, {}]", `{"task": "t", "id": "i", "eta": "soon"}`),
		"set Config.Location":     envelope(`{"task": "t", "id": "i", "eta": "2026-11-25T17:03:09", "utc": false}`, ""),
		`"timelimit"`:             envelope("[[], {}, {}]", `{"task": "t", "id": "i", "timelimit": "long"}`),
		"application/x-yaml":      strings.Replace(envelope("", head), "application/json", "application/x-yaml", 1),
		`in "latin-1"`:            strings.Replace(envelope("", head), "utf-8", "latin-1", 1),
		`encoding is "rot13"`:     strings.Replace(envelope("", head), `"base64"`, `"rot13"`, 1),
		"illegal base64":          strings.Replace(envelope("", head), `"body": "`, `"body": "!`, 1),
		`"application/zstd"`:      envelope("[[], {}, {}]", `{"task": "t", "id": "i", "compression": "application/zstd"}`),
		"zlib: invalid header":    envelope("[[], {}, {}]", `{"task": "t", "id": "i", "compression": "application/x-gzip"}`),
		"the body is \"\": this ": `{"headers": {"task": "t", "id": "i"}}`,
	} {
		_, err := parse([]byte(raw), nil)
		require.ErrorContains(t, err, why)
	}
}

func TestBodyHasALimit(t *testing.T) {
	var bomb bytes.Buffer
	z := zlib.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 1000))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	body, err := decompress(bomb.Bytes(), "zlib", 1000)
	require.NoError(t, err)
	require.Len(t, body, 1000)
	_, err = decompress(bomb.Bytes(), "zlib", 999)
	require.EqualError(t, err, "it is longer than 999 bytes")
}

// TestAgain: what goes back after a worker died is marked, and the same otherwise.
func TestAgain(t *testing.T) {
	for _, raw := range []string{gocelerys, envelope(`[[9007199254740993], {}, {}]`, `{"task": "t", "id": "i", "x": 9007199254740993, "y": {}, "z": []}`)} {
		changed, err := again([]byte(raw), 2)
		require.NoError(t, err)
		before, err := parse([]byte(raw), nil)
		require.NoError(t, err)
		after, err := parse(changed, nil)
		require.NoError(t, err)
		before.attempts = 2
		require.Equal(t, before, after)
		var was, is object
		require.NoError(t, json.Unmarshal([]byte(raw), &was))
		require.NoError(t, json.Unmarshal(changed, &is))
		require.Equal(t, string(was["body"]), string(is["body"]))
		var headers, had object
		require.NoError(t, json.Unmarshal(is["headers"], &headers))
		require.NoError(t, was.get("headers", &had))
		require.Equal(t, "true", string(headers["redelivered"]))
		delete(headers, "redelivered")
		delete(headers, attemptsHeader)
		for key := range maps.Keys(had) {
			require.JSONEq(t, string(had[key]), string(headers[key]))
		}
		require.Contains(t, string(is["properties"]), `"redelivered":true`)
	}
	_, err := again([]byte(`{"headers": []}`), 1)
	require.Error(t, err)
}

// FuzzParse: whatever comes, parse returns; what it takes makes a job that survives JSON, and can go back.
func FuzzParse(f *testing.F) {
	f.Add([]byte(gocelerys))
	f.Add([]byte(envelope(`[[1], {"a": 2}, {"chain": null}]`, `{"task": "t", "id": "i", "eta": "2026-11-25T17:03:09+01:00", "timelimit": [1, null]}`)))
	f.Add([]byte(`{"body": "[[], {}, null]", "content-type": "application/json", "headers": {"task": "t", "id": "i"}, "properties": {}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parse(raw, nil)
		if m == nil {
			t.Fatal("no message")
		}
		if err != nil {
			if err.Error() == "" {
				t.Fatal("no reason")
			}
			return
		}
		if m.id == "" || m.name == "" || m.limit < 0 {
			t.Fatalf("a task without an id or name: %+v", m)
		}
		text, err := json.Marshal(m.job(&taken{}))
		if err != nil {
			t.Fatal(err)
		}
		var job worker.Job
		if err := json.Unmarshal(text, &job); err != nil {
			t.Fatal(err)
		}
		_ = Kwargs(&job, &map[string]any{})
		changed, err := again(raw, m.attempts+1)
		if err != nil {
			t.Fatalf("cannot go back: %v", err)
		}
		after, err := parse(changed, nil)
		if err != nil {
			t.Fatalf("is another when it goes back: %v", err)
		}
		if after.id != m.id || after.name != m.name || after.attempts != m.attempts+1 || string(compact(after.args)) != string(compact(m.args)) {
			t.Fatalf("is another when it goes back: %+v, was %+v", after, m)
		}
	})
}

func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	_ = json.Compact(&b, raw)
	return b.Bytes()
}
