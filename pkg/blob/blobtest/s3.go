package blobtest

import (
	"io"
	"log"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
)

// S3 serves an empty bucket over the protocol of S3 until the test ends, and returns its
// address for blob.Open. It sets environment variables, so the test can't be parallel.
func S3(t testing.TB) string {
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("carnet"))
	s := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.StdLog(log.New(io.Discard, "", 0)))).Server())
	t.Cleanup(s.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	return "s3://carnet?" + url.Values{"region": {"us-east-1"}, "endpoint": {s.URL}, "use_path_style": {"true"}}.Encode()
}
