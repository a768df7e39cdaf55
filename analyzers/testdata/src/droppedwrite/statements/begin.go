package statements

import (
	"context"

	"github.com/jackc/pgx/v5"
)

func wholeAgain(ctx context.Context, conn *pgx.Conn) (err error) {
	for i := 0; i < 3; i++ {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { // want `retried-commit`
			_, err := tx.Exec(ctx, `INSERT INTO log (a) VALUES (1)`)
			return err
		})
		if err == nil {
			return nil
		}
	}
	return err
}

// What is written is the same the second time.
func repeatableAgain(ctx context.Context, conn *pgx.Conn) (err error) {
	for i := 0; i < 3; i++ {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO log (a) VALUES (1) ON CONFLICT DO NOTHING`)
			return err
		})
		if err == nil {
			return nil
		}
	}
	return err
}
