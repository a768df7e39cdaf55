// Package ignores reports suppression comments in Go code that are wrong or that nothing needs.
//
// # Analyzer ignores
//
// ignores: report suppression comments that are wrong or that nothing needs
//
// A finding in Go code is taken back, with the reason, by a comment on its line or on a line of its own above the statement;
// in the doc comment of a function it holds for the whole function. Above a statement that has a block (if, for, switch, a call with a function
// literal) it holds up to the brace, and for nothing in the block:
//
//	//srhtvet:ignore RULE[,RULE] reason
//
// RULE is a check (unbounded-context), all checks of an analyzer (handlerdeadline), or a rule about queries (broken-query).
//
// # bad-ignore
//
// The comment names no rule or gives no reason, so it takes nothing back; or it names a rule that does not exist, which takes nothing back
// while the comment's other names do.
//
// # unused-ignore
//
// Nothing here is a finding of the rule: the comment would hide one that comes later. Not reported in packages that could
// be type-checked in part only, since analyzers see less there.
//
// # What it does not see
//
// When only some analyzers are asked for (go vet -vettool=… -handlerdeadline), this one is not, unless named.
package ignores
