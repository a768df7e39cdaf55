// Package squirrel is a stub.
package squirrel

import "database/sql"

type BaseRunner interface{}

type Sqlizer interface{ ToSql() (string, []any, error) }

type SelectBuilder struct{ b int }

type InsertBuilder struct{ b int }

type Eq map[string]any

func Select(columns ...string) SelectBuilder { return SelectBuilder{} }
func Insert(into string) InsertBuilder       { return InsertBuilder{} }

func (b SelectBuilder) Column(column any, args ...any) SelectBuilder { return b }
func (b SelectBuilder) From(from string) SelectBuilder               { return b }
func (b SelectBuilder) Where(pred any, args ...any) SelectBuilder    { return b }
func (b SelectBuilder) RunWith(r BaseRunner) SelectBuilder           { return b }
func (b SelectBuilder) Query() (*sql.Rows, error)                    { return nil, nil }
func (b InsertBuilder) Columns(columns ...string) InsertBuilder      { return b }
func (b InsertBuilder) Values(values ...any) InsertBuilder           { return b }
func (b InsertBuilder) RunWith(r BaseRunner) InsertBuilder           { return b }
func (b InsertBuilder) Exec() (sql.Result, error)                    { return nil, nil }
