package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc/codes"

	"github.com/carnet-network/carnet/pkg/flow"
)

// metrics are the numbers on /metrics. Labels are methods and codes, never parties
// or contents.
type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	open    *prometheus.GaugeVec
}

func newMetrics(r *prometheus.Registry, g *flow.Gateway) *metrics {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "carnet_calls_total", Help: "Finished calls by method and gRPC code."}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "carnet_call_seconds", Help: "Duration of finished calls.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 60, 600}}, []string{"method"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "carnet_calls_open", Help: "Calls being served."}, []string{"method"}),
	}
	r.MustRegister(m.calls, m.seconds, m.open, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "carnet_journal_entries", Help: "Entries of the journal."}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		entries, _, err := g.Journal(ctx)
		if err != nil {
			return -1
		}
		return float64(entries)
	}))
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "carnet_log_published_entries", Help: "Entries of the newest published checkpoint of the log."}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, newest, err := g.Journal(ctx)
		switch {
		case err != nil:
			return -1
		case newest == nil:
			return 0
		}
		return float64(newest.Size)
	}))
	return m
}

// Observe returns the counters that a flow.Gateway feeds, registered with r.
func Observe(r *prometheus.Registry) flow.Observer {
	pieces := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "carnet_pieces_received_total", Help: "Pieces of ciphertext received, by whether they were new."}, []string{"outcome"})
	computed := prometheus.NewCounter(prometheus.CounterOpts{Name: "carnet_blocks_computed_total", Help: "Ciphertext blocks read by finished computations."})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "carnet_computation_seconds", Help: "Duration of computations of public values.",
		Buckets: []float64{.01, .1, .5, 2, 10, 60, 300, 1800}}, []string{"outcome"})
	mismatches := prometheus.NewCounter(prometheus.CounterOpts{Name: "carnet_attestation_mismatches_total", Help: "Answers that attest other public values than the gateway's."})
	r.MustRegister(pieces, computed, seconds, mismatches)
	return flow.Observer{
		Pieces: func(stored, skipped int) {
			pieces.WithLabelValues("stored").Add(float64(stored))
			pieces.WithLabelValues("skipped").Add(float64(skipped))
		},
		Computed: func(n int64, took time.Duration, err error) {
			if err != nil {
				seconds.WithLabelValues("error").Observe(took.Seconds())
				return
			}
			seconds.WithLabelValues("ok").Observe(took.Seconds())
			computed.Add(float64(n))
		},
		Mismatch: mismatches.Inc,
	}
}

func (m *metrics) begin(method string) { m.open.WithLabelValues(known(method)).Inc() }

func (m *metrics) end(method string, code codes.Code, took time.Duration) {
	method = known(method)
	m.open.WithLabelValues(method).Dec()
	m.calls.WithLabelValues(method, code.String()).Inc()
	m.seconds.WithLabelValues(method).Observe(took.Seconds())
}

// known keeps strangers from making label values.
func known(method string) string {
	if _, ok := rules[method]; ok {
		return method
	}
	return "unknown"
}
