package drain

import (
	"fmt"
	"os"
)

// State is where a process is in its life. It only ever grows.
type State int32

const (
	Starting State = iota
	Ready          // serves
	LameDuck       // serves, and says that it will leave
	Draining       // takes nothing new; what is in flight finishes
	Stopped
)

func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case LameDuck:
		return "lame duck"
	case Draining:
		return "draining"
	case Stopped:
		return "stopped"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// SignalError is the cause of a drain that a signal began. Main does not return it: a process that was told to leave and
// left has not failed.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "signal: " + e.Signal.String() }
