// Package sqlalchemy reads what the Python half of a service asks of its database, without running it: the classes that
// SQLAlchemy maps to tables. [Read] gives a query.Site for each: loading an entity selects every mapped column, a flush
// inserts a row or updates what changed.
package sqlalchemy
