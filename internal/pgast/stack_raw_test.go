package pgast

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
)

// rawOperations are libpg_query's functions without our guard.
var rawOperations = map[string]func(sql string) error{
	"json": func(sql string) error {
		_, err := parser.ParseToJSON(sql)
		return err
	},
	"protobuf": func(sql string) error {
		_, err := parser.ParseToProtobuf(sql)
		return err
	},
	"deparse": func(sql string) error {
		wire, err := parser.ParseToProtobuf(sql)
		if err != nil {
			return err
		}
		_, err = parser.DeparseFromProtobuf(wire)
		return err
	},
	"plpgsql": func(sql string) error {
		_, err := pg_query.ParsePlPgSqlToJSON(sql)
		return err
	},
}

// rawChild runs one of rawOperations on one production.
func rawChild(args []string) error {
	operation, kind := rawOperations[args[0]], args[1]
	i, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	var sql string
	switch kind {
	case "deep":
		sql = deepProductions[i].sql(n)
	case "flat":
		sql = flatProductions[i].sql(n)
	case "plpgsql":
		sql = plpgsqlFunction(plpgsqlProductions[i].sql(n))
	}
	done := make(chan error)
	go func() { done <- operation(sql) }() // on any thread, as callers do
	if err := <-done; err != nil {
		fmt.Println("a clean error:", err)
	}
	return nil
}

// BenchmarkStack reports how long each production may get before libpg_query crashes with a stack of 128 KiB, and how
// deep the guard takes that to be. It is what shallowDepth rests on. It takes a quarter of an hour, so it
// does nothing unless PGAST_STACK is set.
func BenchmarkStack(b *testing.B) {
	if os.Getenv("PGAST_STACK") == "" {
		return
	}
	for _, operation := range []string{"json", "protobuf", "deparse", "plpgsql"} {
		for _, set := range []struct {
			kind        string
			productions []production
		}{{"deep", deepProductions}, {"flat", flatProductions}, {"plpgsql", plpgsqlProductions}} {
			for i, p := range set.productions {
				b.Run(operation+"/"+set.kind+"/"+p.name, func(b *testing.B) {
					crashes := func(n int) bool {
						_, err := runChild(b, 128, fmt.Sprintf("raw %s %s %d %d", operation, set.kind, i, n))
						return err != nil
					}
					// Not a bisection: what is too long for bison's own stack is a clean error again.
					low := 64
					for low < 20000 && !crashes(low) {
						low += low / 8
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(low), "links")
					sql := p.sql(low)
					if set.kind == "plpgsql" {
						return
					}
					depth := 0
					for _, piece := range survey(sql) {
						depth = max(depth, piece.depth)
					}
					b.ReportMetric(float64(depth), "depth")
				})
			}
		}
	}
}
