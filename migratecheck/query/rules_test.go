package query_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// TestRulesExist: the rules that checks name are there. (Package migratecheck may import this one, so that the test is
// outside of it.)
func TestRulesExist(t *testing.T) {
	rules := map[string]bool{}
	for _, r := range migratecheck.Rules() {
		rules[r.ID] = true
	}
	for _, c := range query.Checks() {
		for _, id := range c.Rules {
			assert.True(t, rules[id], "check %s names rule %s", c.ID, id)
		}
	}
}
