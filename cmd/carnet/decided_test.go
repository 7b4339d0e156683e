package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

func TestDecidedBy(t *testing.T) {
	own := &carnet.PolicyBundle{Name: "corridor", Version: 3, Digest: carnet.Hash{0xab, 0xcd, 0xef, 1, 2, 3, 4}}
	byTerms := client.DecidedBy{Party: "kh2", Number: 2, Statement: carnet.Hash{2}}
	byRules := client.DecidedBy{Party: "kh1", Number: 1, Policy: own, Statement: carnet.Hash{1}}
	gateway := client.DecidedBy{Party: "corridor-op", Policy: own, Statement: carnet.Hash{3}}
	said := func(verbose bool, by ...client.DecidedBy) string {
		var out bytes.Buffer
		a := &app{err: &out}
		a.decidedBy(&client.Answer{DecidedBy: by}, verbose)
		return out.String()
	}
	require.Equal(t, "decided by policy corridor version 3 (abcdef010203): the gateway (corridor-op), keyholder 1 (kh1)\n"+
		"decided by owners' terms alone: keyholder 2 (kh2)\n", said(false, gateway, byRules, byTerms))
	require.Equal(t, "decided by policy corridor version 3 (abcdef010203): keyholder 1 (kh1)\n"+
		"decided by owners' terms alone: the gateway (it shows no decision by rules)\n", said(false, byRules))
	require.Contains(t, said(true, byRules), own.Digest.String()+"): keyholder 1 (kh1) by statement "+byRules.Statement.String())
	require.Equal(t, "decided by owners' terms alone, without a policy bundle\n", said(false, byTerms))
	require.Empty(t, said(false), "nobody was asked")
}
