package drain_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// A program with a main of its own takes the Drainer alone.
func ExampleDrainer() {
	d, err := drain.New(drain.Config{
		LameDuck: 10 * time.Millisecond, // no balancer is before this one
		Phases: []drain.Phase{
			{Name: "intake", Stop: func(ctx context.Context) error { fmt.Println("stop taking"); return nil }},
			{Name: "work"}, // what Go runs
			{Name: "database", Stop: func(ctx context.Context) error { fmt.Println("close the database"); return nil }},
		},
	})
	if err != nil {
		fmt.Println(err) // all that is wrong with the Config
		return
	}
	d.Go(func(ctx context.Context) {
		<-d.Draining()
		fmt.Println("finish, because:", d.Cause())
	})
	d.Ready()

	d.Begin(errors.New("a new version comes"))
	fmt.Println(d.State())
	if err := d.Drain(context.Background()); err != nil {
		fmt.Println("cut:", err)
	}
	fmt.Println(d.State())
	// Unordered output:
	// lame duck
	// finish, because: a new version comes
	// stop taking
	// close the database
	// stopped
}
