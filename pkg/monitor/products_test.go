package monitor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// Which functionals multiply what can't be worked out without ciphertext, but keyholders have
// to agree about them.
func TestKeyholdersAgreeAboutProducts(t *testing.T) {
	w := historytest.NewOf(t, carnet.LayoutRecords)
	q := w.Ask("SELECT SUM(value) FROM trade WHERE month = '1'")
	for i, k := range historytest.Keyholders[:2] {
		a := w.Answer(q, i+1)
		a.Functionals = carnet.Hash{byte(i)}
		w.Append(carnet.TypeAnswer, a, k)
	}
	_, out := follow(w, options())
	require.Len(t, out, 1)
	require.Equal(t, [2]string{"FUNCTIONALS_DIFFER", "k2"}, [2]string{out[0].Reason, string(out[0].By)})
}
