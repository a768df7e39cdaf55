package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Analyzed compares what catalog.Analyze says of queries with what the server describes: error codes, the names, types and
// origins of result columns, the types of parameters.
type Analyzed struct {
	conn  *pgx.Conn
	types map[string]string // format_type by OID and modifier
	names map[uint32]string // relations by OID

	Compared, Agreed int
	// Refused are statements that the server accepts and Analyze does not, Missed the other way around, OtherCode those that
	// both refuse with different codes, Differ those described in another way.
	Refused, Missed, OtherCode, Differ []string
	// Unsure counts the statements that Analyze did not fully understand.
	Unsure int
}

// NewAnalyzed compares on a connection to a database that has the same schema as the catalogs given to Compare.
func NewAnalyzed(conn *pgx.Conn) *Analyzed {
	return &Analyzed{conn: conn, types: map[string]string{}, names: map[uint32]string{}}
}

// Compare has both look at one statement. An error is a failure of the connection.
func (a *Analyzed) Compare(ctx context.Context, cat *catalog.Catalog, stmt pgast.Stmt) error {
	conn := a.conn.PgConn()
	if conn.TxStatus() == 'E' {
		return nil
	}
	undo := ""
	if conn.TxStatus() == 'T' {
		if _, err := conn.Exec(ctx, "SAVEPOINT analyzed").ReadAll(); err != nil {
			return err
		}
		undo = "ROLLBACK TO analyzed; RELEASE analyzed"
	}
	described, err := conn.Prepare(ctx, "", stmt.SQL, nil)
	if err == nil && plannable(stmt.Node) {
		// The planner has the last word on ON CONFLICT.
		_, err = conn.Exec(ctx, planned(stmt.SQL, len(described.ParamOIDs))).ReadAll()
		if err != nil && len(described.ParamOIDs) > 0 && conn.TxStatus() == 'I' {
			conn.Exec(ctx, "DEALLOCATE analyzed").ReadAll()
		}
	}
	var server *pgconn.PgError
	if err != nil && !errors.As(err, &server) {
		return err
	}
	if undo != "" {
		if _, err := conn.Exec(ctx, undo).ReadAll(); err != nil {
			return err
		}
	}
	if server != nil && (server.Code == "42601" && described == nil && server.Position > 0 && isSyntax(server.Message) || server.Code == "57014") {
		return nil // another version's grammar
	}
	a.Compared++
	an, err := cat.Analyze(stmt, catalog.Ask{})
	var ours *catalog.Error
	errors.As(err, &ours)
	line := oneLine(stmt.SQL)
	if first := firstOfAll(cat, stmt); !reflect.DeepEqual(first, ours) {
		a.Differ = append(a.Differ, fmt.Sprintf("%s: the first error is %v, and %v of all", line, ours, first))
	}
	switch {
	case ours != nil && ours.Code == catalog.NotUnderstood:
		a.Unsure++
	case server != nil && ours == nil && beyondAnalysis(server):
		a.Agreed++
	case server != nil && ours == nil:
		if len(an.Unknown) > 0 {
			a.Unsure++
			return nil
		}
		a.Missed = append(a.Missed, fmt.Sprintf("%s: %s %s", line, server.Code, server.Message))
	case server == nil && ours != nil && ours.Code == "55000" && strings.HasPrefix(ours.Message, "ON CONFLICT"):
		a.Agreed++ // only running it shows (ExecCheckIndexConstraints)
	case server == nil && ours != nil:
		a.Refused = append(a.Refused, fmt.Sprintf("%s: %s %s", line, ours.Code, ours.Message))
	case server != nil && server.Code != ours.Code:
		a.OtherCode = append(a.OtherCode, fmt.Sprintf("%s: %s %s, ours %s %s", line, server.Code, server.Message, ours.Code, ours.Message))
	case server != nil:
		a.Agreed++
	default:
		diff, err := a.describe(ctx, cat, an, described)
		if err != nil {
			return err
		}
		switch {
		case diff == "" && len(an.Unknown) == 0:
			a.Agreed++
		case diff == "":
			a.Unsure++
		default:
			a.Differ = append(a.Differ, line+": "+diff)
		}
	}
	return nil
}

// firstOfAll is the first error when all are asked for.
func firstOfAll(cat *catalog.Catalog, stmt pgast.Stmt) (e *catalog.Error) {
	an, err := cat.Analyze(stmt, catalog.Ask{All: true})
	if err == nil && len(an.Errors) > 0 {
		return an.Errors[0]
	}
	errors.As(err, &e)
	return e
}

// planned plans a statement without values for its parameters; EXPLAIN (GENERIC_PLAN) came with 16.
func planned(sql string, params int) string {
	if params == 0 {
		return "EXPLAIN " + sql
	}
	return "SET plan_cache_mode = force_generic_plan; PREPARE analyzed AS " + sql + "; EXPLAIN EXECUTE analyzed(" +
		strings.TrimSuffix(strings.Repeat("NULL, ", params), ", ") + "); DEALLOCATE analyzed; RESET plan_cache_mode"
}

// plannable tells of statements that EXPLAIN takes.
func plannable(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		return true
	}
	return false
}

func isSyntax(message string) bool {
	return len(message) > 12 && message[:12] == "syntax error"
}

// beyondAnalysis tells errors that constants cause when the planner computes with them, and those of privileges.
func beyondAnalysis(e *pgconn.PgError) bool {
	switch e.Code {
	case "42501", "54000", "42P21", "42P22":
		return true
	}
	return strings.HasPrefix(e.Code, "22") || beyond(e)
}

// describe compares two descriptions.
func (a *Analyzed) describe(ctx context.Context, cat *catalog.Catalog, an *catalog.Analysis, sd *pgconn.StatementDescription) (string, error) {
	if !an.Open && len(an.Columns) != len(sd.Fields) {
		return fmt.Sprintf("%d columns, ours %d", len(sd.Fields), len(an.Columns)), nil
	}
	for i, f := range sd.Fields {
		if an.Open {
			break
		}
		col := an.Columns[i]
		if f.Name != col.Name {
			return fmt.Sprintf("column %d is %q, ours %q", i+1, f.Name, col.Name), nil
		}
		if col.Type != (catalog.TypeRef{}) {
			text, err := a.typeName(ctx, f.DataTypeOID, f.TypeModifier)
			if err != nil {
				return "", err
			}
			if ours := cat.FormatType(cat.BaseType(col.Type)); ours != text {
				return fmt.Sprintf("column %q is %s, ours %s", f.Name, text, ours), nil
			}
		}
		origin, err := a.relation(ctx, f.TableOID)
		if err != nil {
			return "", err
		}
		if f.TableOID != 0 {
			origin = fmt.Sprintf("%s.%d", origin, f.TableAttributeNumber)
		}
		ours := ""
		if col.Origin.OID != 0 {
			ours = fmt.Sprintf("%s.%d", cat.NameOf(col.Origin.OID).Name, col.Origin.Column)
		}
		if origin != ours && f.TableOID >= uint32(catalog.FirstUserOID) && int16(f.TableAttributeNumber) > 0 {
			return fmt.Sprintf("column %q comes from %q, ours %q", f.Name, origin, ours), nil
		}
	}
	for i, oid := range sd.ParamOIDs {
		if i >= len(an.Params) {
			return fmt.Sprintf("%d parameters, ours %d", len(sd.ParamOIDs), len(an.Params)), nil
		}
		if an.Params[i].Type == (catalog.TypeRef{}) {
			continue
		}
		text, err := a.typeName(ctx, oid, -1)
		if err != nil {
			return "", err
		}
		if ours := cat.FormatType(an.Params[i].Type); ours != text {
			return fmt.Sprintf("$%d is %s, ours %s", i+1, text, ours), nil
		}
	}
	return "", nil
}

func (a *Analyzed) typeName(ctx context.Context, oid uint32, mod int32) (string, error) {
	key := fmt.Sprint(oid, mod)
	if text, ok := a.types[key]; ok && oid < uint32(catalog.FirstUserOID) {
		return text, nil
	}
	text, err := a.ask(ctx, fmt.Sprintf("SELECT format_type(%d, %d)", oid, mod))
	a.types[key] = text
	return text, err
}

func (a *Analyzed) relation(ctx context.Context, oid uint32) (string, error) {
	if oid == 0 {
		return "", nil
	}
	if name, ok := a.names[oid]; ok && oid < uint32(catalog.FirstUserOID) {
		return name, nil
	}
	name, err := a.ask(ctx, fmt.Sprintf("SELECT relname FROM pg_class WHERE oid = %d", oid))
	a.names[oid] = name
	return name, err
}

func (a *Analyzed) ask(ctx context.Context, sql string) (string, error) {
	results, err := a.conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 || len(results[0].Rows) == 0 {
		return "", err
	}
	return string(results[0].Rows[0][0]), nil
}

// WithParameters is a statement with its constants made parameters, as code would send it; ok is false when it has none.
func WithParameters(stmt pgast.Stmt) (out pgast.Stmt, ok bool) {
	root := pgast.Clone(stmt.Node)
	// The modifiers of types, and numbers that mean columns, must stay.
	keep := map[*pgast.Node]bool{}
	pgast.WalkMessages(root, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.TypeName:
			for _, n := range m.Typmods {
				keep[n] = true
			}
		case *pgast.SortBy:
			keep[m.Node] = true
		case *pgast.SelectStmt:
			for _, n := range m.GroupClause {
				keep[n] = true
			}
		}
		return true
	})
	next := int32(0)
	pgast.Walk(root, func(n *pgast.Node) bool {
		if keep[n] || n.GetRangeTableSample() != nil || n.GetRangeTableFunc() != nil {
			return false
		}
		if k := n.GetAConst(); k != nil && !k.Isnull && k.GetBoolval() == nil {
			next++
			n.Node = &pgast.Node_ParamRef{ParamRef: &pgast.ParamRef{Number: next}}
		}
		return true
	})
	if next == 0 {
		return stmt, false
	}
	sql, err := pgast.Deparse(root)
	if err != nil {
		return stmt, false
	}
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return stmt, false
	}
	return stmts[0], true
}

// IsQuery tells of the statements that Compare is for.
func IsQuery(n *pgast.Node) bool {
	return plannable(n) && n.GetSelectStmt().GetIntoClause() == nil
}
