package policy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is read as an input is decided, or fails with an error: never with a panic. What
// was decided is decided the same from its bytes.
func FuzzParseInput(f *testing.F) {
	b, err := Default()
	require.NoError(f, err)
	e, err := NewEngine(context.Background(), b)
	require.NoError(f, err)
	for _, flow := range []Flow{FlowStorage, FlowShare, FlowRelease} {
		in, err := probe(flow).Bytes()
		require.NoError(f, err)
		f.Add(in)
	}
	f.Add([]byte(`{"version":3,"flow":"release","now":"9999-12-31T23:59:59Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := ParseInput(data)
		if err != nil {
			return
		}
		_, out, err := e.decide(context.Background(), in)
		if err != nil {
			return
		}
		canonical, err := in.Bytes()
		require.NoError(t, err)
		in, err = ParseInput(canonical)
		require.NoError(t, err)
		_, again, err := e.decide(context.Background(), in)
		require.NoError(t, err)
		require.Equal(t, string(out), string(again))
	})
}
