package failoversafe

import (
	"net"
	"net/url"
	"regexp"
	"strings"
)

// dsn is what is known of a data source name of PostgreSQL, in either of libpq's forms
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
type dsn struct {
	url    bool
	hosts  []string // without ports; verb for a part that is filled in
	ports  []string
	params map[string]string
}

// verb stands for what fmt.Sprintf fills in.
const verb = "\x00"

var verbs = regexp.MustCompile(`%[-+# 0]*[0-9]*[a-zA-Z]`)

// parseDSN reads a DSN, or the format of one; not ok when it is none, or may hold parameters that cannot be seen.
func parseDSN(text string, format bool) (dsn, bool) {
	if format {
		text = verbs.ReplaceAllLiteralString(text, verb)
		text = strings.ReplaceAll(text, "%%", "%")
	}
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		return parseURL(text)
	}
	return parsePairs(text)
}

func parseURL(text string) (dsn, bool) {
	const stand = "xVERBx" // a verb in a URL's port would not parse
	d := dsn{url: true, params: map[string]string{}}
	_, rest, _ := strings.Cut(text, "://")
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if strings.Contains(path, verb+verb) || strings.HasSuffix(rest, verb) && !strings.Contains(rest, "/") && query == "" {
		return dsn{}, false // "postgres://%s": all of it, perhaps
	}
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		authority = authority[i+1:]
	}
	if authority != "" {
		for hostport := range strings.SplitSeq(authority, ",") {
			host, port, err := net.SplitHostPort(hostport)
			if err != nil {
				host, port = strings.Trim(hostport, "[]"), ""
			}
			d.hosts, d.ports = append(d.hosts, host), append(d.ports, port)
		}
	}
	if strings.HasSuffix(path, verb) && query == "" && strings.Count(path, verb) > 1 {
		return dsn{}, false
	}
	values, err := url.ParseQuery(strings.ReplaceAll(query, verb, stand))
	if err != nil {
		return dsn{}, false
	}
	for key, list := range values {
		if strings.Contains(key, stand) || len(list) > 0 && strings.Contains(list[0], stand+"&") {
			return dsn{}, false
		}
		d.params[key] = list[0]
	}
	if host := d.params["host"]; host != "" {
		d.hosts = append(d.hosts, strings.Split(host, ",")...)
	}
	return d, true
}

var pair = regexp.MustCompile(`^\s*([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']*)`)

func parsePairs(text string) (dsn, bool) {
	d := dsn{params: map[string]string{}}
	for strings.TrimSpace(text) != "" {
		m := pair.FindStringSubmatch(text)
		if m == nil {
			return dsn{}, false
		}
		d.params[m[1]] = strings.Trim(m[2], "'")
		text = text[len(m[0]):]
	}
	for _, key := range []string{"host", "hostaddr"} {
		if host := d.params[key]; host != "" {
			d.hosts = append(d.hosts, strings.Split(host, ",")...)
		}
	}
	if port := d.params["port"]; port != "" {
		d.ports = strings.Split(port, ",")
	}
	_, hasHost := d.params["host"]
	_, hasName := d.params["dbname"]
	_, hasUser := d.params["user"]
	return d, hasHost || hasName || hasUser
}

// local reports whether a host is this machine: a loopback address, or a directory of sockets.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "%2F") || strings.HasPrefix(host, "%2f") ||
		strings.HasPrefix(host, "@") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// allLocal reports whether a DSN is for this machine only.
func (d dsn) allLocal() bool {
	for _, host := range d.hosts {
		if !local(host) {
			return false
		}
	}
	return true
}

// pooled reports whether a host or port looks like that of a pooler, a balancer, or a name that moves with the primary.
func (d dsn) pooled() bool {
	for _, port := range d.ports {
		if port == "6432" || strings.Contains(port, verb) {
			return true // PgBouncer's
		}
	}
	for _, host := range d.hosts {
		host = strings.ToLower(host)
		for _, word := range []string{"bouncer", "pool", "proxy", "vip", "balancer", "lb.", "lb-", "-lb", "haproxy", "primary", "master", "leader",
			"rw.", "-rw", "writer", "cluster", "rds.", "supavisor", "pgcat", "odyssey", verb} {
			if strings.Contains(host, word) {
				return true
			}
		}
	}
	return false
}
