package sleep // want package:"serves"

import (
	"context"
	"database/sql"
	"math/rand"
	"net/http"
	"time"
)

func untilUp(ctx context.Context, db *sql.DB) error {
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		time.Sleep(time.Second) // want `warning: sleeping-retry: this retry of \(\*database/sql.DB\).PingContext sleeps on when ctx has ended: a node that drains waits for it, and then tries for nobody, and, without jitter`
	}
}

func attempts(ctx context.Context, db *sql.DB) (err error) {
	for i := 0; i < 5; i++ {
		if _, err = db.ExecContext(ctx, `DELETE FROM t`); err != nil {
			time.Sleep(time.Duration(i) * time.Second) // want `sleeping-retry`
			continue
		}
		break
	}
	return err
}

func indirect(ctx context.Context, db *sql.DB) error {
	var err error
	for range 3 {
		if err = write(ctx, db); err == nil {
			return nil
		}
		time.Sleep(time.Duration(rand.Intn(1000)) * time.Millisecond) // want `sleeping-retry: .*and then tries for nobody\n`
	}
	return err
}

func write(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `DELETE FROM t`)
	return err
}

func handler(w http.ResponseWriter, r *http.Request) {
	for range 3 {
		resp, err := http.Get("http://localhost")
		if err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(time.Second) // want `sleeping-retry: .*sleeps on when the request has ended`
	}
}

// No context is at hand.
func untilPinged(ctx context.Context, db *sql.DB) bool {
	for {
		if db.PingContext(ctx) == nil {
			return true
		}
		time.Sleep(time.Second) // want `sleeping-retry`
	}
}

// Clone waits for nobody.
func cloned(ctx context.Context) error {
	for {
		err := use(http.DefaultTransport.(*http.Transport).Clone())
		if err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
}

func use(*http.Transport) error { return own() }

func own() error {
	http.DefaultTransport.(*http.Transport).Clone()
	return nil
}

func atStart(db *sql.DB) error {
	for {
		err := db.Ping()
		if err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
}

// Not a retry: it polls.
func poll(ctx context.Context, db *sql.DB) {
	for ctx.Err() == nil {
		if err := write(ctx, db); err != nil {
			println(err)
		}
		time.Sleep(time.Minute)
	}
}

// One after the other.
func each(ctx context.Context, dbs []*sql.DB) error {
	for _, db := range dbs {
		if err := db.PingContext(ctx); err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
	return nil
}

// Nothing of a server.
func compute(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
}

func waits(ctx context.Context, db *sql.DB) error {
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
