// Package sqlquery finds the SQL that Go code sends, without running it.
package sqlquery
