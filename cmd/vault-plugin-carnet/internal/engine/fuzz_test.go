package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// FuzzRequests sends whatever there is to every path. An engine that panics ends the
// process that serves all keyholders' engines; one that answers without a ticket has no
// use. The wrapper that catches panics reports a fault, which is a failure here.
func FuzzRequests(f *testing.F) {
	storage := &storage{}
	e := newEngine(f, storage)
	configure(f, e, keystest.NewPerson("buyer").Public())
	f.Add("share", []byte(`{"query":["e30="],"keys":["00"],"openings":["AQ=="],"ticket":"AA=="}`))
	f.Add("functional", []byte(`{"key":"`+strings.Repeat("0", 64)+`","d":["AAAA"]}`))
	f.Add("keys/"+strings.Repeat("a", 64), []byte(`{"dealing":["e30="],"committee":["e30="],"number":1,"sealed":["AAAA"]}`))
	f.Add("check", []byte(`{}`))
	f.Add("across", []byte(`{"keys":["00","01"],"at":0,"with":[1],"d":["AAAA"],"corrections":["AAAA"]}`))
	f.Add("keys/"+strings.Repeat("a", 64)+"/again", []byte(`{"first":["e30="],"redealing":["e30="]}`))
	f.Fuzz(func(t *testing.T, path string, data []byte) {
		var fields map[string]any
		if json.Unmarshal(data, &fields) != nil {
			return
		}
		for _, op := range []logical.Operation{logical.UpdateOperation, logical.ReadOperation} {
			resp, err := e.backend.HandleRequest(context.Background(), &logical.Request{Operation: op, Path: path, Data: fields, Storage: storage})
			if err != nil {
				require.NotContains(t, err.Error(), "a fault of the engine")
			}
			if resp != nil {
				require.NotContains(t, resp.Data, "sealed")
				require.NotContains(t, resp.Data, "scalars")
			}
		}
	})
}

// FuzzOpenings changes what is to be opened under a real query, keys and ticket. What is
// accepted all the same says the same, with another number of blocks of a file of which
// cells are chosen, which is not in F: it has the same answer.
func FuzzOpenings(f *testing.F) {
	storage := &storage{}
	e := newEngine(f, storage)
	configure(f, e, keystest.NewPerson("buyer").Public())
	s := sharer(f, e)
	f.Add(byte(0), []byte{2, 0, 0, 0, 0})
	n := keystest.NewNetwork(f, s.SealingKey(), carnet.LayoutCube, 2, false)
	n.Accept(f, s)
	a := &attacker{t: f, engine: e, storage: storage, sharer: s, net: n}
	r := n.Ask(monthly)
	base, honest := a.request(r), ticket.AppendOpenings(nil, r.Plan.Openings)
	signed, want := a.sign(a.ticket(r, n.IDs(r, 0)), policy), n.Expect(r, 0, nil)
	f.Fuzz(func(t *testing.T, at byte, mask []byte) {
		changed := append([]byte(nil), honest...)
		for i, m := range mask {
			changed[(int(at)+i)%len(changed)] ^= m
		}
		data, err := e.Write(t.Context(), "share", with(with(base, "openings", []string{text(changed)}), "ticket", signed))
		if err != nil {
			require.NotEmpty(t, carnet.ReasonOf(err), err)
			return
		}
		plain, err := n.Recipient.Open(share.AnswerInfo(r.Hash, keystest.Member), bytesOf(t, data["sealed"]))
		require.NoError(t, err)
		require.Equal(t, want, plain)
	})
}

// FuzzHandle reads handles that were made elsewhere.
func FuzzHandle(f *testing.F) {
	p, err := he.Lookup("records")
	require.NoError(f, err)
	f.Add((&evaluated{degree: 2}).seal(bytes.Repeat([]byte{1}, 32), p))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := openHandle(make([]byte, 32), p, b)
		require.Equal(t, "BAD_HANDLE", carnet.ReasonOf(err))
	})
}
