//go:build integration

package tested

import "testing"

func TestElsewhere(t *testing.T) {
	t.Log(elsewhere)
}
