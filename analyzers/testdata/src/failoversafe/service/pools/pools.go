package pools

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func start(ctx context.Context, dsn string, given time.Duration) {
	pgxpool.New(ctx, dsn) // an hour
	c, _ := pgxpool.ParseConfig(dsn)
	c.MaxConnLifetime = 0 // want `unlimited-connection-lifetime: since pgx 5.11 a pool with this MaxConnLifetime keeps`
	c.MaxConnLifetime = given
	c.MaxConnLifetime = time.Hour
	_ = pgxpool.Config{MaxConnLifetime: -1} // want `unlimited-connection-lifetime`
}
