package celery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says which queue. Its zero value is Celery's default: queue "celery" on redis://localhost:6379/0.
type Config struct {
	// URL is the broker's, as Celery's broker_url has it: redis://user:password@host:port/database, rediss:// for TLS,
	// redis+socket:///path?virtual_host=database (also written unix://) for a Unix socket. Results are stored there too.
	URL string
	// Client is used instead of URL, and not closed by Close. It must have room for a connection for each list waited for
	// (queues × priority steps) and some more (redis.Options.PoolSize).
	Client *redis.Client
	// Queues are taken from in turn; none means "celery".
	Queues []string
	// PrioritySteps is the transport option priority_steps; none means 0, 3, 6, 9 as kombu has it. 0 is the highest priority.
	PrioritySteps []int
	// Prefix begins the keys of this package, "" means "ha:". Workers of one queue must have the same.
	Prefix string
	// Lease is how long a worker may be silent before others take its jobs; it renews them after a third of it. 0 means 30
	// seconds. It is the time that a dead worker's jobs wait, and must be longer than any pause of a live one.
	Lease time.Duration
	// Attempts is how many workers may die with a job before it is put among the dead letters; 0 means 5. Jobs given back do
	// not count.
	Attempts int
	// ResultExpires is Celery's result_expires; 0 means a day, as there.
	ResultExpires time.Duration
	// Location is the time zone of producers whose Celery has enable_utc off, for eta and expires of protocol 1. nil makes such messages dead letters
	// when they have either, for it cannot be known from them.
	Location *time.Location
	// Log gets a record for each message that is not simply taken; nil discards them.
	Log *slog.Logger
}

const defaultQueue = "celery"

func (c *Config) validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Lease", c.Lease}, {"ResultExpires", c.ResultExpires}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("celery: %s is %s: a duration cannot be negative", d.name, d.value))
		} else if d.value > 0 && d.value < time.Millisecond {
			errs = append(errs, fmt.Errorf("celery: %s is %s: Redis counts in milliseconds", d.name, d.value))
		}
	}
	if c.Attempts < 0 {
		errs = append(errs, fmt.Errorf("celery: Attempts is %d: it cannot be negative", c.Attempts))
	}
	for i, q := range c.Queues {
		if q == "" || slices.Contains(c.Queues[:i], q) {
			errs = append(errs, fmt.Errorf("celery: Queues has %q twice or empty", q))
		}
	}
	if !slices.IsSorted(c.PrioritySteps) {
		errs = append(errs, fmt.Errorf("celery: PrioritySteps %v do not grow", c.PrioritySteps))
	}
	return errors.Join(errs...)
}

// Queue is a [worker.Queue], [worker.Renewer] and [worker.Rejecter]. Its methods may be called concurrently.
type Queue struct {
	cfg   Config
	log   *slog.Logger
	redis *redis.Client

	mu     sync.Mutex
	turn   int       // which queue is first
	looked time.Time // for leases that have run out
	unsure []string  // receipts of takes whose answer was lost
}

// New makes a queue. It does not connect: what cannot be reached is tried again by the worker. The error names every field of cfg that is
// wrong.
func New(cfg Config) (*Queue, error) {
	errs := []error{cfg.validate()}
	if len(cfg.Queues) == 0 {
		cfg.Queues = []string{defaultQueue}
	}
	if len(cfg.PrioritySteps) == 0 {
		cfg.PrioritySteps = []int{0, 3, 6, 9}
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "ha:"
	}
	if cfg.Lease == 0 {
		cfg.Lease = 30 * time.Second
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 5
	}
	if cfg.ResultExpires == 0 {
		cfg.ResultExpires = 24 * time.Hour
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{cfg: cfg, log: cfg.Log, redis: cfg.Client}
	if q.redis == nil {
		options, err := parseURL(cfg.URL)
		if err != nil {
			errs = append(errs, err)
		} else {
			options.PoolSize = max(options.PoolSize, len(cfg.Queues)*len(cfg.PrioritySteps)+10)
			q.redis = redis.NewClient(options)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return q, nil
}

// Close closes the connections, unless they are those of Config.Client. The worker must have ended.
func (q *Queue) Close() error {
	if q.cfg.Client != nil {
		return nil
	}
	return q.redis.Close()
}

// errURL repeats neither the URL nor why it cannot be parsed: each may have the password in it, or a piece of it.
var errURL = errors.New("celery: URL cannot be read: write redis://user:password@host:port/database, rediss://…, redis+socket:///path?virtual_host=database " +
	"or unix:///path?db=database, with % and what is special in a URL escaped in the password (@ as %40, # as %23)")

// parseURL understands what kombu does (kombu/utils/url.py, kombu/transport/redis.py _connparams).
func parseURL(text string) (*redis.Options, error) {
	if text == "" {
		text = "redis://localhost:6379/0"
	}
	if rest, ok := strings.CutPrefix(text, "redis+socket://"); ok {
		u, err := url.Parse("unix://" + rest)
		if err != nil {
			return nil, errURL
		}
		query := u.Query()
		if db := strings.TrimPrefix(query.Get("virtual_host"), "/"); db != "" {
			query.Set("db", db)
		}
		query.Del("virtual_host")
		u.RawQuery = query.Encode()
		text = u.String()
	}
	options, err := redis.ParseURL(text)
	if err != nil {
		return nil, errURL
	}
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1 // the worker tries again, and says so
	// For Redis Enterprise; elsewhere each connection would begin with a command that is not known.
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, nil
}

// list is the list of a queue's messages of a priority (kombu/transport/redis.py, Channel._q_for_pri): that of the highest step that is
// not above it.
func (q *Queue) list(queue string, priority int) string {
	step := q.cfg.PrioritySteps[0]
	for _, s := range q.cfg.PrioritySteps {
		if s <= priority {
			step = s
		}
	}
	if step == 0 {
		return queue
	}
	return fmt.Sprintf("%s\x06\x16%d", queue, step)
}

// lists are all lists in the order in which to take from them: by priority, then the queues in turn (as kombu's round robin has it).
func (q *Queue) lists() []string {
	q.mu.Lock()
	q.turn++
	turn := q.turn
	q.mu.Unlock()
	var all []string
	for _, step := range q.cfg.PrioritySteps {
		for i := range q.cfg.Queues {
			all = append(all, q.list(q.cfg.Queues[(i+turn)%len(q.cfg.Queues)], step))
		}
	}
	return all
}

// RenewEvery implements worker.Renewer.
func (q *Queue) RenewEvery() time.Duration { return q.cfg.Lease / 3 }

// shortly is a context for one exchange with Redis that is to be made whether or not ctx has ended meanwhile: what was begun is
// read to its end.
func shortly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}
