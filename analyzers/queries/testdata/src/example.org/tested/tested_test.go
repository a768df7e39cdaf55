package tested

import "testing"

func TestAsserted(t *testing.T) {
	if asserted != " WHERE note IS NOT NULL" {
		t.Fatal(asserted)
	}
}
