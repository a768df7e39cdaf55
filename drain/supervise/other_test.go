//go:build !linux

package supervise

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnsupported(t *testing.T) {
	_, err := New(Config{Dir: "/var/lib/x"})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "jobs that outlive their worker need Linux")
}
