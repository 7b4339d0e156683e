package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/tilelog"
)

// gatewayView asks a gateway.
type gatewayView struct{ *client.Client }

// prove implements view. A proof that does not hold is returned all the same: it is judged
// by the monitor.
func (g gatewayView) prove(ctx context.Context, older, newer carnet.Checkpoint) (carnet.Hash, []carnet.Hash, error) {
	path, err := g.Consistency(ctx, older, newer)
	if carnet.ReasonOf(err) == "BAD_CONSISTENCY_PROOF" {
		err = nil
	}
	return carnet.Hash{}, path, err
}

// publicView reads the tiles of a public log.
type publicView struct{ *tilelog.Log }

// prove implements view.
func (p publicView) prove(ctx context.Context, older, newer carnet.Checkpoint) (carnet.Hash, []carnet.Hash, error) {
	return p.Consistency(ctx, older.Size, newer)
}

// tileLog reads a log over HTTP.
func tileLog(url string, c *tls.Config) *tilelog.Log {
	return &tilelog.Log{URL: strings.TrimSuffix(url, "/"), HTTP: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: c}}}
}
