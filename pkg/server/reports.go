package server

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
)

// Report writes some answers of REST for people, in one media type.
type Report struct {
	Of    func(answer proto.Message) bool // has a report; others are JSON
	Write func(w io.Writer, answer proto.Message) error
}

// reportPaths is where requests are asked for reports.
const reportPaths = "/v1/assessments/"

// formats are the values of ?format=.
var formats = map[string]string{"html": "text/html", "text": "text/plain", "json": "application/json"}

// reported chooses the media type of an assessment: what ?format= says, or the first one in
// Accept that there is a report in. REST takes a type as it stands in the header only, and
// browsers list several.
func reported(reports map[string]Report, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, reportPaths) {
			r = r.Clone(r.Context())
			r.Header.Set("Accept", accepted(reports, r))
			query := r.URL.Query()
			query.Del("format")
			r.URL.RawQuery = query.Encode()
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // of pages: nothing runs, nothing is loaded
			w.Header().Set("X-Content-Type-Options", "nosniff")
		}
		next.ServeHTTP(w, r)
	})
}

func accepted(reports map[string]Report, r *http.Request) string {
	if t, ok := formats[r.URL.Query().Get("format")]; ok {
		return t
	}
	for _, item := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		name, _, _ := strings.Cut(item, ";")
		name = strings.TrimSpace(name)
		if _, ok := reports[name]; ok || name == "application/json" {
			return name
		}
	}
	return "application/json"
}

// reportMarshaler answers in a media type what has a report, and all else, errors too, in JSON.
type reportMarshaler struct {
	*runtime.JSONPb
	name   string
	report Report
}

func (m *reportMarshaler) of(v any) (proto.Message, bool) {
	p, ok := v.(proto.Message)
	return p, ok && m.report.Of(p)
}

// ContentType implements runtime.Marshaler.
func (m *reportMarshaler) ContentType(v any) string {
	if _, ok := m.of(v); ok {
		return m.name + "; charset=utf-8"
	}
	return m.JSONPb.ContentType(v)
}

// Marshal implements runtime.Marshaler.
func (m *reportMarshaler) Marshal(v any) ([]byte, error) {
	p, ok := m.of(v)
	if !ok {
		return m.JSONPb.Marshal(v)
	}
	var b bytes.Buffer
	err := m.report.Write(&b, p)
	return b.Bytes(), err
}
