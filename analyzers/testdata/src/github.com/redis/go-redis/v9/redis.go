// Package redis stands in for github.com/redis/go-redis/v9.
package redis

import "context"

type Client struct{}

type Cmd struct{}

func (*Cmd) Err() error { return nil }

func (*Client) Get(ctx context.Context, key string) *Cmd                           { return nil }
func (*Client) Set(ctx context.Context, key string, value any, ttl int) *Cmd       { return nil }
func (*Client) Del(ctx context.Context, keys ...string) *Cmd                       { return nil }
func (*Client) LPush(ctx context.Context, key string, values ...any) *Cmd          { return nil }
func (*Client) Publish(ctx context.Context, channel string, message any) *Cmd      { return nil }
func (*Client) XAck(ctx context.Context, stream, group string, ids ...string) *Cmd { return nil }
