package vaultclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Explain says what an error of the API means. what names the action, such as "read
// carnet/data/kh/sealing"; it is shown and must not be secret.
func Explain(what string, err error) error {
	var known *carnet.Error
	var answer *api.ResponseError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, api.ErrSecretNotFound):
		return carnet.E(carnet.NotFound, "VAULT_NO_SECRET", "Vault has nothing: %s", what).
			Fix("check mount, namespace and name in the Vault configuration")
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &answer):
		return explainAnswer(what, answer)
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &host):
		return carnet.E(carnet.Precondition, "VAULT_UNTRUSTED", "Vault's certificate is not trusted").
			Fix("give its authority with ca or VAULT_CACERT, and server_name if it has another name than the address")
	}
	// Everything else happened on the way: refused, cut, timed out.
	return carnet.E(carnet.Unavailable, "VAULT_UNREACHABLE", "Vault is not reachable or does not answer in time: %s", what).
		Fix("check Vault's address, the network and that Vault runs; a running keyholder goes on by itself")
}

func sealed() error {
	return carnet.E(carnet.Unavailable, "VAULT_SEALED", "Vault is sealed").
		Fix("unseal Vault; a running keyholder goes on by itself")
}

func explainAnswer(what string, e *api.ResponseError) error {
	said := func(text string) bool { return strings.Contains(strings.Join(e.Errors, "\n"), text) }
	switch {
	case e.StatusCode == http.StatusForbidden && said("invalid token"):
		return carnet.E(carnet.Forbidden, "VAULT_TOKEN_INVALID", "Vault does not know the token any more: %s", what).
			Fix("log in again: put a new token into token_file or VAULT_TOKEN, or use AppRole or Kubernetes, which log in by themselves")
	case e.StatusCode == http.StatusForbidden:
		return carnet.E(carnet.Forbidden, "VAULT_DENIED", "Vault's policy does not allow: %s", what).
			Fix("let Vault's administrator compare the policy with policies/vault")
	case e.StatusCode == http.StatusBadRequest && said("check-and-set"):
		return carnet.E(carnet.Exists, "VAULT_CHANGED", "somebody else changed it meanwhile: %s", what).
			Fix("make sure that no second program uses the same name in Vault")
	case e.StatusCode == http.StatusRequestEntityTooLarge || said("exceeds allowed length") || said("value being too large"):
		return carnet.E(carnet.Exhausted, "VAULT_TOO_LARGE", "Vault does not take as much at once: %s", what).
			Fix("raise max_request_size of Vault's listener to its default, 32 MiB, or above")
	case e.StatusCode == http.StatusNotFound:
		return carnet.E(carnet.NotFound, "VAULT_NO_SECRET", "Vault has nothing: %s", what).
			Fix("check mount, namespace and name in the Vault configuration")
	case e.StatusCode == http.StatusServiceUnavailable && said("sealed"):
		return sealed()
	case e.StatusCode >= 500 || e.StatusCode == http.StatusTooManyRequests || e.StatusCode == http.StatusPreconditionFailed || e.StatusCode == 472 || e.StatusCode == 473:
		return carnet.E(carnet.Unavailable, "VAULT_UNAVAILABLE", "Vault can't answer now (status %d): %s", e.StatusCode, what).
			Fix("look at Vault's log; a running keyholder tries again by itself")
	}
	return carnet.E(carnet.Precondition, "VAULT_REFUSED", "Vault refused with status %d: %s", e.StatusCode, what).
		Fix("look at Vault's audit log for the request; check the mounts' types and the key's settings")
}
