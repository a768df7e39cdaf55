// Package supervise runs jobs that outlive their worker.
package supervise
