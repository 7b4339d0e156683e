// Package alicloudkms stands in for a cloud auto-unseal: not built into this test server.
package alicloudkms

import (
	"context"
	"errors"

	"github.com/hashicorp/go-hclog"
	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
)

type Wrapper struct{}

var errNone = errors.New("this cloud seal is not built into this test server")

func NewWrapper() *Wrapper                                          { return &Wrapper{} }
func (*Wrapper) Type(context.Context) (wrapping.WrapperType, error) { return "", errNone }
func (*Wrapper) KeyId(context.Context) (string, error)              { return "", errNone }
func (*Wrapper) SetConfig(context.Context, ...wrapping.Option) (*wrapping.WrapperConfig, error) {
	return nil, errNone
}
func (*Wrapper) Encrypt(context.Context, []byte, ...wrapping.Option) (*wrapping.BlobInfo, error) {
	return nil, errNone
}
func (*Wrapper) Decrypt(context.Context, *wrapping.BlobInfo, ...wrapping.Option) ([]byte, error) {
	return nil, errNone
}
func WithDisallowEnvVars(bool) wrapping.Option { return func() interface{} { return nil } }
func WithLogger(hclog.Logger) wrapping.Option  { return func() interface{} { return nil } }

const (
	EnvAliCloudKmsWrapperKeyId   = "STUB_alicloudkms_EnvAliCloudKmsWrapperKeyId"
	EnvVaultAliCloudKmsSealKeyId = "STUB_alicloudkms_EnvVaultAliCloudKmsSealKeyId"
)
