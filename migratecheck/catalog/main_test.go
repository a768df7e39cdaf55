package catalog

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
