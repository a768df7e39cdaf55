package tested_test

import "testing"

func TestMocked(t *testing.T) {
	free := "a name of its own"
	for _, pattern := range []string{free, "UPDATE list SET note = 'x'", `INSERT INTO list \(id, note\) VALUES`} {
		t.Log(pattern)
	}
}
