package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Querier asks the database. It is called by one goroutine at a time.
//
// Each query must run outside of any transaction that changes the schema, and on the server that the service's own queries
// go to: a replica may not have yet what its primary has.
type Querier interface {
	// QueryText runs a query without parameters that gives one text column without NULLs.
	QueryText(ctx context.Context, query string) ([]string, error)
}

// QueryFunc is a function as a Querier. With pgx:
//
//	gate.QueryFunc(func(ctx context.Context, query string) ([]string, error) {
//		rows, err := pool.Query(ctx, query)
//		if err != nil {
//			return nil, err
//		}
//		return pgx.CollectRows(rows, pgx.RowTo[string])
//	})
type QueryFunc func(ctx context.Context, query string) ([]string, error)

// QueryText implements Querier.
func (f QueryFunc) QueryText(ctx context.Context, query string) ([]string, error) {
	return f(ctx, query)
}

// Config says where the version is kept. The zero value finds it out.
type Config struct {
	// Tool is the migration tool. When it is "" the first read that finds a version table decides; tables of several tools are
	// an error then.
	Tool Tool

	// Table is the version table, "table" or "schema.table" as SQL writes it; "" is the tool's usual one, found on the
	// search path. It needs Tool.
	Table string

	// Interval is how often Run reads the version. Zero is 10 seconds. It bounds for how long the branch for the old schema is
	// taken on the new one, and the other way round after a Down, unless an error tells earlier (Do, Refresh).
	Interval time.Duration

	// Throttle is the least time between the beginnings of two reads that Refresh makes; who comes earlier waits. Zero is
	// 100 milliseconds.
	Throttle time.Duration

	// Floor is a version up to which all migrations are taken as applied, for a history whose table does not list them all
	// any more. Zero is none.
	Floor int64

	// Revisions are alembic's revision identifiers from the base on, in the order in which they are applied: the first is
	// version 1. A head that is not among them is taken for a newer one.
	Revisions []string

	// Logger hears of every change of the version, and of reads that failed in Run. nil is silent.
	Logger *slog.Logger
}

func (c Config) validate() error {
	var errs []error
	known := false
	for _, t := range tools {
		known = known || t.tool == c.Tool
	}
	if c.Tool != "" && !known {
		errs = append(errs, fmt.Errorf("config.Tool %q is not known", c.Tool))
	}
	if c.Table != "" && c.Tool == "" {
		errs = append(errs, errors.New("config.Table needs config.Tool"))
	}
	if c.Interval < 0 {
		errs = append(errs, fmt.Errorf("config.Interval %v is negative", c.Interval))
	}
	if c.Throttle < 0 {
		errs = append(errs, fmt.Errorf("config.Throttle %v is negative", c.Throttle))
	}
	if c.Tool == Alembic && len(c.Revisions) == 0 {
		errs = append(errs, errors.New("config.Revisions is empty, and alembic's versions are no numbers: their order is needed"))
	}
	return errors.Join(errs...)
}

func (c Config) interval() time.Duration {
	if c.Interval == 0 {
		return 10 * time.Second
	}
	return c.Interval
}

func (c Config) throttle() time.Duration {
	if c.Throttle == 0 {
		return 100 * time.Millisecond
	}
	return c.Throttle
}

// Gate knows at which migration a database is. The zero value knows nothing: AtLeast is false for every migration. All
// methods are safe for concurrent use; AtLeast and Now take no lock.
type Gate struct {
	config Config
	db     Querier
	now    atomic.Pointer[Schema]

	mu   sync.Mutex
	next *read         // a read that has not begun; who wants one joins it
	turn chan struct{} // holds the right to read: one at a time
	last time.Time     // when the last read began; belongs to who has the turn
}

// read is one read that several callers wait for.
type read struct {
	done chan struct{}
	err  error
	// abandoned: the caller that was to read has gone; another must.
	abandoned bool
}

// New makes a gate that has not read anything yet, for services that start without their database. The error names
// every bad field of the configuration.
func New(db Querier, config Config) (*Gate, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	if db == nil {
		return nil, errors.New("gate: no database")
	}
	g := &Gate{config: config, db: db, turn: make(chan struct{}, 1)}
	g.turn <- struct{}{}
	return g, nil
}

// Open makes a gate and reads the version.
func Open(ctx context.Context, db Querier, config Config) (*Gate, error) {
	g, err := New(db, config)
	if err != nil {
		return nil, err
	}
	return g, g.Refresh(ctx)
}

// Now is the schema as it was last read. It never blocks.
func (g *Gate) Now() Schema {
	if s := g.now.Load(); s != nil {
		return *s
	}
	return Schema{}
}

// AtLeast is Now().AtLeast(version). Ask it once in what must not change its mind half-way; else take a snapshot with Now.
func (g *Gate) AtLeast(version int64) bool { return g.Now().AtLeast(version) }

// ErrZero is returned by Refresh and Run of a Gate that neither New nor Open made.
var ErrZero = errors.New("gate: a zero Gate has no database")

// Refresh reads the version. What Now gives behind it was read after Refresh was called. Callers that come at one time share
// one read, and reads keep the distance of Config.Throttle; waiting ends with ctx. After an error Now is what it was.
func (g *Gate) Refresh(ctx context.Context) error {
	if g.db == nil {
		return ErrZero
	}
	for {
		if ctx.Err() != nil {
			return fmt.Errorf("reading the schema's version: %w", context.Cause(ctx))
		}
		r, ours := g.join()
		if ours {
			return g.lead(ctx, r)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return fmt.Errorf("reading the schema's version: %w", context.Cause(ctx))
		}
		if !r.abandoned {
			return r.err
		}
	}
}

// join finds the read that is to come next; ours says that this caller is to make it.
func (g *Gate) join() (r *read, ours bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next, ours = &read{done: make(chan struct{})}, true
	}
	return g.next, ours
}

// begin closes the read to those who come later.
func (g *Gate) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = nil
}

// lead makes a read for all who joined it.
func (g *Gate) lead(ctx context.Context, r *read) error {
	defer close(r.done)
	if err := g.wait(ctx); err != nil {
		g.begin()
		r.abandoned = true
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	defer func() { g.turn <- struct{}{} }()
	g.begin()
	g.last = time.Now()
	r.err = g.read(ctx, g.last)
	r.abandoned = r.err != nil && ctx.Err() != nil // the others still have time
	return r.err
}

// wait takes the turn and keeps the distance to the read before.
func (g *Gate) wait(ctx context.Context) error {
	select {
	case <-g.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if left := g.config.throttle() - time.Since(g.last); left > 0 && !g.last.IsZero() {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			g.turn <- struct{}{}
			return context.Cause(ctx)
		}
	}
	return nil
}

// read asks the database and publishes the answer.
func (g *Gate) read(ctx context.Context, at time.Time) error {
	s, err := g.ask(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	s.read = at
	before := g.Now()
	g.now.Store(&s)
	if g.config.Logger != nil && !s.same(before) {
		g.config.Logger.InfoContext(ctx, "schema version", "from", before.String(), "to", s.String())
	}
	return nil
}

// ask looks for the version tables and reads the one there is.
func (g *Gate) ask(ctx context.Context) (Schema, error) {
	var found []Schema
	for _, t := range tools {
		detect := g.config.Tool == ""
		if !detect && g.config.Tool != t.tool || t.tool == Alembic && len(g.config.Revisions) == 0 {
			continue
		}
		name := t.table
		if g.config.Table != "" {
			name = g.config.Table
		}
		columns, err := g.db.QueryText(ctx, columnsOf(name))
		if err != nil {
			return Schema{}, fmt.Errorf("looking for the table %s: %w", name, err)
		}
		table, ours := t.claim(columns)
		switch {
		case table == "" || !ours && detect:
			continue
		case !ours:
			return Schema{}, fmt.Errorf("the table %s does not have the columns of %s's", name, t.tool)
		}
		rows, err := g.db.QueryText(ctx, fmt.Sprintf(t.rows, table))
		switch {
		case codeOf(err) == undefinedTable: // dropped in between
			continue
		case err != nil:
			return Schema{}, fmt.Errorf("reading the table %s: %w", table, err)
		}
		s, err := g.config.interpret(t.tool, rows)
		if err != nil {
			return Schema{}, err
		}
		found = append(found, s)
	}
	switch len(found) {
	case 0:
		return Schema{}, nil // a fresh database
	case 1:
		return found[0], nil
	}
	return Schema{}, fmt.Errorf("there are tables of %s and of %s: say which by Config.Tool", found[0].tool, found[1].tool)
}

// Run reads the version every Config.Interval until ctx is done, whose error it returns. A read that fails is logged, and
// the last answer stands.
func (g *Gate) Run(ctx context.Context) error {
	if g.db == nil {
		return ErrZero
	}
	ticker := time.NewTicker(g.config.interval())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		if err := g.Refresh(ctx); err != nil && ctx.Err() == nil && g.config.Logger != nil {
			g.config.Logger.WarnContext(ctx, "schema version not read", "error", err)
		}
	}
}
