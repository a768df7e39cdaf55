// Package pgxpool is a stub.
package pgxpool

import (
	"context"
	"time"
)

type Config struct{ MaxConnLifetime time.Duration }

type Pool struct{}

func ParseConfig(dsn string) (*Config, error) { return nil, nil }

func New(ctx context.Context, dsn string) (*Pool, error) { return nil, nil }
