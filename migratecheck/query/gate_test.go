package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGate(t *testing.T) {
	old, new := Gate{Below: 9}, Gate{AtLeast: 9}
	require.True(t, old.Admits(8))
	require.False(t, old.Admits(9))
	require.True(t, old.Outlives(9))
	require.False(t, new.Outlives(8))
	require.True(t, new.Admits(9))
	require.Equal(t, Gate{}, old.Or(new), "together they have all")
	require.Equal(t, Gate{AtLeast: 5, Below: 11}, Gate{AtLeast: 5, Below: 7, Retried: true}.Or(Gate{AtLeast: 9, Below: 11}))
	require.Equal(t, Gate{Below: 9, Retried: true}, Gate{Below: 8, Retried: true}.Or(Gate{Below: 9, Retried: true}))
	never := Gate{AtLeast: 9, Below: 8}
	require.True(t, never.Empty())
	require.False(t, never.Admits(8))
	require.False(t, never.Outlives(8))
	require.Equal(t, new, never.Or(new))
	require.Equal(t, old, old.Or(never))
}

func TestByGate(t *testing.T) {
	s := &Site{Func: "f", Variants: []Variant{{SQL: "a", Gate: Gate{Below: 9}}, {SQL: "b", Gate: Gate{AtLeast: 9}}, {SQL: "c", Gate: Gate{Below: 9}}}}
	s.Gate = s.Shared()
	require.Equal(t, Gate{}, s.Gate)
	parts := s.ByGate()
	require.Len(t, parts, 2)
	require.Equal(t, "f", parts[0].Func)
	require.Equal(t, Gate{Below: 9}, parts[0].Gate)
	require.Equal(t, []Variant{s.Variants[0], s.Variants[2]}, parts[0].Variants)
	require.Equal(t, []Variant{s.Variants[1]}, parts[1].Variants)
	require.Len(t, s.Variants, 3)
	require.Equal(t, []*Site{parts[1]}, parts[1].ByGate(), "nothing to take apart")
	bare := &Site{Names: []NameUse{{Name: "x"}}}
	require.Same(t, bare, bare.ByGate()[0])
}
