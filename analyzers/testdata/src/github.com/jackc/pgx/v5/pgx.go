// Package pgx stands in for github.com/jackc/pgx/v5.
package pgx

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

var ErrTxClosed = errors.New("tx is closed")

type TxAccessMode string

const ReadOnly TxAccessMode = "read only"

type TxOptions struct{ AccessMode TxAccessMode }

type Tx interface {
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	SendBatch(ctx context.Context, b *Batch) BatchResults
}

type Rows interface {
	Close()
	Err() error
	Next() bool
	Scan(dest ...any) error
}

type Batch struct{}

func (*Batch) Queue(query string, arguments ...any) {}

type BatchResults interface {
	Exec() (pgconn.CommandTag, error)
	Close() error
}

type Conn struct{}

func (*Conn) Begin(ctx context.Context) (Tx, error)                   { return nil, nil }
func (*Conn) BeginTx(ctx context.Context, opts TxOptions) (Tx, error) { return nil, nil }
func (*Conn) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, nil
}
func (*Conn) Query(ctx context.Context, sql string, args ...any) (Rows, error) { return nil, nil }
func (*Conn) SendBatch(ctx context.Context, b *Batch) BatchResults             { return nil }

func BeginFunc(ctx context.Context, db *Conn, fn func(Tx) error) error { return nil }

func (*Conn) Ping(ctx context.Context) error { return nil }

func (*Conn) Close(ctx context.Context) error { return nil }
