package main

import (
	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/policy"
)

// packPolicy is a policy bundle as an evidence bundle carries it.
func packPolicy(p *policy.Bundle) (*bundle.Policy, error) {
	env, err := p.Sign() // by nobody: the statement is wanted, not a signature
	if err != nil {
		return nil, err
	}
	return &bundle.Policy{Statement: env.Payload, Files: p.Files()}, nil
}

// readCheckpoint reads a saved checkpoint.
func readCheckpoint(file string) (*evidence.SignedCheckpoint, error) {
	data, err := readInput("checkpoint", file)
	if err != nil {
		return nil, err
	}
	return evidence.ParseCheckpoint(data)
}
