// Package droppedwrite finds writes that are lost while everybody believes they are there.
//
// # Analyzer droppedwrite
//
// droppedwrite: find writes that a failover or a deploy loses without a word
//
// A write is there when its Commit has returned nil, and not before. When a primary fails over, a pooler drops a connection or
// a request's context ends, that is where it shows, and often only there. Code that does not look, looks and takes the answer
// for success, or tells others before it knows, loses the write without anybody noticing: the user saw a success, the mail
// was accepted, the job is done.
//
// Transactions are told by their methods: *sql.Tx, pgx.Tx, *sqlx.Tx, pgxpool's, and interfaces or structs that have Commit,
// Rollback and an Exec with their results.
//
// # unchecked-commit
//
// The error of Commit is dropped: by a statement tx.Commit(), by defer tx.Commit(), or by an assignment that the next one
// overwrites; or that of a function that runs a function literal in a transaction, WithTx(ctx, func(tx *sql.Tx) error { … }). A transaction that is seen to read only is not reported; nor is _ = tx.Commit(), which somebody has thought
// about.
//
//	tx.Commit() // reported
//	return nil
//
// Return the error. There is a suggested fix where the function's last result is an error.
//
// # txdone-as-success
//
// The error of Commit is compared with sql.ErrTxDone or pgx.ErrTxClosed, and then reads as success. After a Rollback that
// error means nothing; from Commit it means that there was nothing to commit any more: database/sql rolls a transaction back as
// soon as the context it was begun with ends, and so whatever the transaction wrote is gone.
//
//	if err := tx.Commit(); err != nil && err != sql.ErrTxDone { // reported
//		return err
//	}
//
// Take the comparison out. There is a suggested fix where only a Commit can have given the error.
//
// # unchecked-exec
//
// A statement that inserts, updates or deletes, or of which nothing is known, is sent with Exec and its error dropped or overwritten; so is that of
// a pgx batch that is only closed. _, _ = and _ = are somebody's decision and silent; so are deferred statements.
//
// Return the error. There is a suggested fix for statements of a transaction: after an error that is lost in any case.
//
// # unchecked-rows-err
//
// for rows.Next() ends at the last row, and also when the connection is lost in the middle of the result. Without rows.Err() half a
// result passes for a whole one: half of the subscribers get the mail, half of the rows are copied, what is missing gets
// deleted.
//
//	for rows.Next() { // reported
//		…
//	}
//	return list, nil
//
// Ask behind the loop; there is a suggested fix where the function's last result is an error. That rows are closed does not
// help: Close does not return that error. In a transaction the Commit fails as well; what was done with half a result until then is done.
//
// # effect-in-transaction
//
// A mail, a webhook, a message, a job in a queue, a value in Redis or an HTTP request that is not GET or HEAD leaves the process between
// the beginning of a transaction and its Commit, directly or in a function of this module (facts). When the commit fails
// then, it is out and speaks of what was never written. What stands below if err != nil, or is followed by a Rollback, is
// silent.
//
//	database.WithTx(ctx, nil, func(tx *sql.Tx) error {
//		…
//		webhooks.Deliver(ctx, event) // reported
//		return nil
//	})
//
// Send it when the transaction has been committed. When it must not get lost between the two, write it into a table
// of its own in the same transaction (an outbox), and send it from there.
//
// # effect-after-unchecked-commit
//
// The same, behind a Commit whose error nobody looks at: it leaves whether or not there is anything to speak of.
//
// Return the error of Commit before.
//
// # retried-write
//
// A loop, a retry library, or a function of the module that calls its parameter until it succeeds (retry(ctx, n, func() error { … }), a fact across
// packages) sends a write outside of a transaction again after any error. An INSERT without ON CONFLICT, and an
// UPDATE that counts (SET n = n + 1), are then done twice when the connection was lost after the server had done them, which is what a
// failover looks like. A loop that looks at which error it is (errors.As, errors.Is of anything but context's errors, a code, a function that is
// given the error) is silent, and so is a text that names a key for idempotency or says WHERE NOT EXISTS.
//
//	func retry(n int, f func() error) (err error) {
//		for range n {
//			if err = f(); err == nil {
//				return nil
//			}
//		}
//		return err
//	}
//
//	retry(3, func() error {
//		_, err := db.Exec(`UPDATE account SET n = n - 1`) // reported
//		return err
//	})
//
// # retried-commit
//
// The same with a whole transaction after an error of its Commit, spelled out or by a function that runs a function literal in one. SQLSTATE 40001 (serialization_failure) and 40P01
// (deadlock_detected) say that it was rolled back; a lost connection says nothing.
//
// # early-ack
//
// The other side is told that all is well before it is: WriteHeader with a status of 200 to 299, Ack of AMQP or NATS, an offset of Kafka, XACK, an SMTP
// reply 250, LMTP's SetStatus(…, nil), in an open transaction or before a statement that writes; or a handler of mails or jobs
// returns while a goroutine of its own still writes, with nothing that waits for it. Who has been told so does not send it again.
//
// Acknowledge behind the Commit.
//
// # What it does not see
//
// Transactions in struct fields are followed for Commit only. What is sent by functions of other modules, other than the
// libraries it knows by name, by function values and through interfaces is not seen, nor is a retry through an interface; nor are bodies of HTTP responses that are written without WriteHeader.
// What go vet does not load (a missing package) has no types: its transactions are not recognised. Whether a key makes an INSERT
// repeatable, which a unique index would, is not looked up in the schema. A function that wraps Commit hides it: the wrapper is judged, its
// callers are not.
package droppedwrite
