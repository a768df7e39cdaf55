package pgx

import "context"

type QueryExecMode int

const (
	QueryExecModeCacheStatement QueryExecMode = iota
	QueryExecModeExec
)

type ConnConfig struct {
	RuntimeParams        map[string]string
	DefaultQueryExecMode QueryExecMode
}

type Notification struct{}

func Connect(ctx context.Context, connString string) (*Conn, error) { return nil, nil }

func ParseConfig(connString string) (*ConnConfig, error) { return nil, nil }

func (*Conn) WaitForNotification(ctx context.Context) (*Notification, error) { return nil, nil }
