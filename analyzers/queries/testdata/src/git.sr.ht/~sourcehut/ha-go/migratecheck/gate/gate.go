// Package gate is a stub.
package gate

import "context"

type Gate struct{ g int }

type Schema struct{ s int }

func (g *Gate) AtLeast(version int64) bool                         { return false }
func (g *Gate) Now() Schema                                        { return Schema{} }
func (g *Gate) Do(ctx context.Context, f func(Schema) error) error { return nil }
func (s Schema) AtLeast(version int64) bool                        { return false }
