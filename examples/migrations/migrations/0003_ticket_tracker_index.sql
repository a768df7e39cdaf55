-- An index on a table in use is built without blocking its writers, and therefore outside a transaction.

-- +brant NO TRANSACTION
-- +brant Up
CREATE INDEX CONCURRENTLY ticket_tracker_id_idx ON ticket (tracker_id);

-- +brant Down
DROP INDEX CONCURRENTLY ticket_tracker_id_idx;
