// Package querytest holds package query against a real PostgreSQL: random schemas, random pending migrations and random
// queries of code that was written for the schema before or after. What [query.Bound] says of a query on the other schema is
// compared with what the server says (package verify plans it and runs it).
//
// A [Case] is one schema, one migration of one kind (the id of the lint rule that tells of such migrations) and a handful of
// queries; a triple is one of them. [Runner.Run] judges a case, [Tally] counts, [Shrink] makes a disagreement small.
//
// The tests read HA_SEED, HA_RULE (one kind of migrations), HA_TRIPLES or HA_SOAK (how many, how long), HA_FAILURES (how many
// disagreements to show) and HA_SHOW (a [Verdict] of which each is shown). A case that is shown names its HA_SEED and HA_RULE: with
// HA_TRIPLES=1 they run it again.
package querytest
