package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

const (
	typeJSON  OID = 114
	typeJSONB OID = 3802
)

// bindJSON binds the SQL/JSON constructors of PostgreSQL 16 (parse_expr.c, transformJson…).
func (b *binder) bindJSON(n *pgast.Node, s *scope) (value, error) {
	switch n := n.Node.(type) {
	case *pgast.Node_JsonObjectConstructor:
		if _, err := b.bindAll(n.JsonObjectConstructor.Exprs, s); err != nil {
			return value{}, err
		}
		return b.jsonOutput(n.JsonObjectConstructor.Output)
	case *pgast.Node_JsonArrayConstructor:
		if _, err := b.bindAll(n.JsonArrayConstructor.Exprs, s); err != nil {
			return value{}, err
		}
		return b.jsonOutput(n.JsonArrayConstructor.Output)
	case *pgast.Node_JsonArrayQueryConstructor:
		if _, err := b.bindQuery(n.JsonArrayQueryConstructor.Query, s); err != nil {
			return value{}, err
		}
		return b.jsonOutput(n.JsonArrayQueryConstructor.Output)
	case *pgast.Node_JsonKeyValue:
		if _, err := b.bindExpr(n.JsonKeyValue.Key, s); err != nil {
			return value{}, err
		}
		return b.jsonValue(n.JsonKeyValue.Value, s)
	case *pgast.Node_JsonValueExpr:
		return b.jsonValue(n.JsonValueExpr, s)
	case *pgast.Node_JsonIsPredicate:
		_, err := b.bindExpr(n.JsonIsPredicate.Expr, s)
		return value{typ: scalar(typeBool)}, err
	case *pgast.Node_JsonObjectAgg:
		b.aggregates++
		if arg := n.JsonObjectAgg.Arg; arg != nil {
			if _, err := b.bindExpr(arg.Key, s); err != nil {
				return value{}, err
			}
			if _, err := b.jsonValue(arg.Value, s); err != nil {
				return value{}, err
			}
		}
		return b.jsonAggregate(n.JsonObjectAgg.Constructor, s)
	case *pgast.Node_JsonArrayAgg:
		b.aggregates++
		if _, err := b.jsonValue(n.JsonArrayAgg.Arg, s); err != nil {
			return value{}, err
		}
		return b.jsonAggregate(n.JsonArrayAgg.Constructor, s)
	}
	b.unsure("an expression of a kind that is not followed")
	return value{}, nil
}

func (b *binder) jsonValue(n *pgast.JsonValueExpr, s *scope) (value, error) {
	if n == nil {
		return value{}, nil
	}
	if n.RawExpr != nil {
		return b.bindExpr(n.RawExpr, s)
	}
	return b.bindExpr(n.FormattedExpr, s)
}

func (b *binder) jsonAggregate(n *pgast.JsonAggConstructor, s *scope) (value, error) {
	if n == nil {
		return value{typ: scalar(typeJSON)}, nil
	}
	if _, err := b.bindExpr(n.AggFilter, s); err != nil {
		return value{}, err
	}
	if err := b.sorts(n.AggOrder, s); err != nil {
		return value{}, err
	}
	if err := b.window(n.Over, s); err != nil {
		return value{}, err
	}
	return b.jsonOutput(n.Output)
}

// jsonOutput is the type after RETURNING, json without.
func (b *binder) jsonOutput(n *pgast.JsonOutput) (value, error) {
	b.noteVolatility(Stable)
	if n == nil || n.TypeName == nil {
		return value{typ: scalar(typeJSON)}, nil
	}
	t, err := b.c.resolveType(n.TypeName)
	return value{typ: t}, err
}
