// Package queries is the analyzer that checks the SQL of a package's Go code against the schema before and after the
// pending migrations, so that go vet shows at the query what srhtvet compat shows at the migration.
//
// It sees the new version of the code only, one package at a time: what old code does on the new schema is the affair of
// srhtvet compat, and of analyzer migrations.
package queries
