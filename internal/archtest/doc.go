// Package archtest holds the tests that keep the shape of this repository: which package may import which, that every
// package says what it is for, that no file grows past reading, and habits that no compiler checks (no skipped tests, no
// sleeping tests, no init functions, no package-level state, no names of somebody's machine).
//
// Each check is a function from a tree on disk to the problems found there. It is run on this repository, where it must
// find none, and on a small tree that is wrong in just that way, where it must find exactly that.
package archtest
