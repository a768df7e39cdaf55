// Package fault names the places where a worker can die and its tests kill it. A program that is no test passes them without
// effect.
package fault

import "context"

// Point is a place between two steps that leave a trace outside of the process.
type Point string

const (
	TakeBegin     Point = "before a job is asked for"
	Popped        Point = "the message is in the processing list, nobody has read it"
	Delayed       Point = "a message with a later eta has been set aside"
	Buried        Point = "a message that cannot be read is among the dead letters"
	Expired       Point = "a message that came too late has been answered"
	RecoverBegin  Point = "a dead worker's job was found"
	Recovered     Point = "a dead worker's job is in its queue again"
	Taken         Point = "the job is in the worker's hands, not started"
	Started       Point = "the handler is about to be called"
	Worked        Point = "the handler has returned, nothing is recorded"
	FinishBegin   Point = "before the result is recorded"
	Finished      Point = "the result is recorded, the worker does not know it"
	Ended         Point = "the job is over, its slot not free"
	GiveBackBegin Point = "before a job is given back"
	GivenBack     Point = "a job has been given back, the worker does not know it"
	RejectBegin   Point = "before a job is rejected"
	Rejected      Point = "a job has been rejected, the worker does not know it"
	Renewed       Point = "leases have been renewed"
	GateShut      Point = "the gate has been shut"
)

// Points lists all of them, in the order of a job's life.
func Points() []Point {
	return []Point{TakeBegin, Popped, Delayed, Buried, Expired, RecoverBegin, Recovered, Taken, Started, Worked, FinishBegin, Finished, Ended,
		GiveBackBegin, GivenBack, RejectBegin, Rejected, Renewed, GateShut}
}

type key struct{}

// With makes hook known to all that is done with the context.
func With(ctx context.Context, hook func(Point)) context.Context {
	return context.WithValue(ctx, key{}, hook)
}

// At calls the context's hook, if it has one.
func At(ctx context.Context, p Point) {
	if hook, ok := ctx.Value(key{}).(func(Point)); ok {
		hook(p)
	}
}
