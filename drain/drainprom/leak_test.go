package drainprom

import (
	"os"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/leaktest"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }
