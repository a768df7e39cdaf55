package verify

import (
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/jackc/pgx/v5/pgtype"
)

// sample is a value of a column as the server sends it in both formats; nil where no row had one.
type sample struct{ text, binary []byte }

// scanFails asks the drivers' own code whether a value of a type goes into a Go value of a kind: pgx, and what lib/pq hands to
// database/sql. It returns the first complaint, "" when there is none or nobody can know.
func scanFails(kind query.GoKind, oid uint32, v sample) string {
	if v.text == nil || v.binary == nil {
		return ""
	}
	if err := scanPgx(kind, oid, v.binary); err != nil {
		return "pgx: " + err.Error()
	}
	if err := scanSQL(kind, oid, string(v.text)); err != nil {
		return "database/sql: " + err.Error()
	}
	return ""
}

func scanPgx(kind query.GoKind, oid uint32, binary []byte) error {
	m := pgtype.NewMap()
	format := int16(pgtype.BinaryFormatCode)
	if _, known := m.TypeForOID(oid); !known {
		return nil // an enumeration comes as text; of others pgx knows what the program has registered
	}
	switch kind {
	case query.Int:
		return m.Scan(oid, format, binary, new(int64))
	case query.Float:
		return m.Scan(oid, format, binary, new(float64))
	case query.String:
		return m.Scan(oid, format, binary, new(string))
	case query.Bool:
		return m.Scan(oid, format, binary, new(bool))
	case query.Time:
		return m.Scan(oid, format, binary, new(time.Time))
	case query.Bytes:
		return m.Scan(oid, format, binary, new([]byte))
	}
	return nil
}

// scanSQL hands database/sql what lib/pq would (decode in its encode.go): a Go value of the column's type, the text as bytes
// for types that it does not know.
func scanSQL(kind query.GoKind, oid uint32, text string) error {
	var src any = []byte(text)
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("reading the server's number: %w", err)
		}
		src = n
	case pgtype.Float4OID, pgtype.Float8OID:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("reading the server's number: %w", err)
		}
		src = f
	case pgtype.BoolOID:
		src = text == "t"
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		src = text
	case pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.DateOID, pgtype.TimeOID, pgtype.TimetzOID:
		src = time.Unix(0, 0)
	}
	switch kind {
	case query.Int:
		return new(sql.Null[int64]).Scan(src)
	case query.Float:
		return new(sql.Null[float64]).Scan(src)
	case query.String:
		return new(sql.Null[string]).Scan(src)
	case query.Bool:
		return new(sql.Null[bool]).Scan(src)
	case query.Time:
		return new(sql.Null[time.Time]).Scan(src)
	case query.Bytes:
		return new(sql.Null[[]byte]).Scan(src)
	}
	return nil
}
