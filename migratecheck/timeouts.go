package migratecheck

import (
	"strconv"
	"strings"
	"time"
)

// parseTimeout reads a value of lock_timeout or statement_timeout: milliseconds, or a number with a unit
// (manual, 20.1.1 Parameter Names and Values). ok is false for what cannot be read; 0 means no timeout.
func parseTimeout(value string) (d time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, true
	}
	i := strings.IndexFunc(value, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	number, unit := value, "ms"
	if i >= 0 {
		number, unit = value[:i], strings.TrimSpace(value[i:])
	}
	n, err := strconv.ParseFloat(number, 64)
	scale, known := map[string]time.Duration{"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[unit]
	if err != nil || !known {
		return 0, false
	}
	return time.Duration(n * float64(scale)), true
}

// boundedLock reports whether a lock_timeout keeps a statement that waits for its lock from holding up the others for
// longer than a person would notice as an outage.
func boundedLock(value string) bool {
	d, ok := parseTimeout(value)
	return ok && d > 0 && d <= 5*time.Second
}
