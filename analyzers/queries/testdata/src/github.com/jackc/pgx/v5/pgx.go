// Package pgx is a stub: what the tests use of the real one's API.
package pgx

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"
)

type Row interface{ Scan(dest ...any) error }

type Rows interface {
	Row
	Next() bool
}

type CollectableRow interface{ Scan(dest ...any) error }

type RowToFunc[T any] func(row CollectableRow) (T, error)

type Tx interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) Row
}

func CollectRows[T any](rows Rows, f RowToFunc[T]) ([]T, error)        { return nil, nil }
func RowToStructByName[T any](row CollectableRow) (value T, err error) { return value, nil }

type Identifier []string

type CopyFromSource interface{ Next() bool }
