package vaultclient

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// login is one way to get a token. It is called again whenever a new one is needed.
type login func(ctx context.Context, c *api.Client) (*api.Secret, error)

func (a *Auth) login() (login, error) {
	mount := strings.Trim(a.Mount, "/")
	if mount == "" {
		mount = a.Method
	}
	switch a.Method {
	case "token":
		return a.token, nil
	case "approle":
		return a.approle(mount)
	case "kubernetes":
		return a.kubernetes(mount)
	}
	return nil, badConfig("the auth method is %q", a.Method).Fix("use token, approle or kubernetes")
}

// token reads the token anew, since an agent may have replaced the file.
func (a *Auth) token(ctx context.Context, c *api.Client) (*api.Secret, error) {
	token := os.Getenv(api.EnvVaultToken)
	if a.TokenFile != "" {
		var err error
		if token, err = readSecret(a.TokenFile); err != nil {
			return nil, err
		}
	}
	if token == "" {
		return nil, badConfig("no token for Vault is given").Fix("set token_file in the configuration or VAULT_TOKEN")
	}
	own, err := c.CloneWithHeaders()
	if err != nil {
		return nil, err
	}
	own.SetToken(token)
	s, err := own.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil {
		return nil, Explain("look up the own token", err)
	}
	renewable, err := s.TokenIsRenewable()
	if err != nil {
		return nil, errors.New("vault: malformed answer to a token look-up")
	}
	ttl, err := s.TokenTTL()
	if err != nil {
		return nil, errors.New("vault: malformed answer to a token look-up")
	}
	return &api.Secret{Auth: &api.SecretAuth{ClientToken: token, Renewable: renewable, LeaseDuration: int(ttl.Seconds())}}, nil
}

// approle logs in with a role id and a secret id. A wrapped secret id is unwrapped once,
// which uses the wrapping token up, and then kept in memory for later logins.
func (a *Auth) approle(mount string) (login, error) {
	role := a.RoleID
	if (role == "") == (a.RoleIDFile == "") {
		return nil, badConfig("exactly one of role_id and role_id_file is needed")
	}
	if (a.SecretIDFile == "") == (a.SecretIDEnv == "") {
		return nil, badConfig("exactly one of secret_id_file and secret_id_env is needed").Fix("a secret id is never given on the command line or in the configuration itself")
	}
	var unwrapped string
	return func(ctx context.Context, c *api.Client) (*api.Secret, error) {
		if a.RoleIDFile != "" {
			b, err := os.ReadFile(a.RoleIDFile)
			if err != nil {
				return nil, badConfig("the role id can't be read").Because(err)
			}
			role = strings.TrimSpace(string(b))
		}
		secret := unwrapped
		if secret == "" {
			var err error
			if secret, err = a.secretID(); err != nil {
				return nil, err
			}
			if a.Wrapped {
				if secret, err = unwrap(ctx, c, secret); err != nil {
					return nil, err
				}
				unwrapped = secret
			}
		}
		method, err := approle.NewAppRoleAuth(role, &approle.SecretID{FromString: secret}, approle.WithMountPath(mount))
		if err != nil {
			return nil, badConfig("the AppRole can't be used").Because(err)
		}
		return loggedIn(c.Auth().Login(ctx, method))
	}, nil
}

func (a *Auth) secretID() (string, error) {
	if a.SecretIDFile != "" {
		return readSecret(a.SecretIDFile)
	}
	if s := strings.TrimSpace(os.Getenv(a.SecretIDEnv)); s != "" {
		return s, nil
	}
	return "", badConfig("the variable %s is empty", a.SecretIDEnv)
}

// unwrap turns a wrapping token into the secret id. Whoever else unwrapped it first has
// the secret id now, which is why a failure is more than a nuisance.
func unwrap(ctx context.Context, c *api.Client, token string) (string, error) {
	own, err := c.CloneWithHeaders()
	if err != nil {
		return "", err
	}
	own.ClearToken()
	s, err := own.Logical().UnwrapWithContext(ctx, token)
	var answer *api.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == 400 {
		return "", carnet.E(carnet.Forbidden, "VAULT_WRAPPING_USED", "the wrapped secret id is expired or was unwrapped before").
			Fix("it serves one start: make a new one. If nobody of yours used it, somebody else has the secret id: destroy it in Vault and look at the audit log")
	}
	if err != nil {
		return "", Explain("unwrap the secret id", err)
	}
	if s != nil {
		if id, ok := s.Data["secret_id"].(string); ok && id != "" {
			return id, nil
		}
	}
	return "", badConfig("the wrapping token does not hold a secret id").Fix("wrap the answer of auth/approle/role/…/secret-id")
}

func (a *Auth) kubernetes(mount string) (login, error) {
	if a.Role == "" {
		return nil, badConfig("the Kubernetes login needs a role")
	}
	return func(ctx context.Context, c *api.Client) (*api.Secret, error) {
		options := []kubernetes.LoginOption{kubernetes.WithMountPath(mount)}
		if a.JWTFile != "" {
			options = append(options, kubernetes.WithServiceAccountTokenPath(a.JWTFile))
		}
		method, err := kubernetes.NewKubernetesAuth(a.Role, options...) // reads the file, which Kubernetes replaces
		if err != nil {
			return nil, badConfig("the service account's token can't be read").Because(err)
		}
		return loggedIn(c.Auth().Login(ctx, method))
	}, nil
}

// loggedIn sorts out why a login failed: Vault answers a wrong secret id with 400 and a
// wrong Kubernetes role with 403.
func loggedIn(s *api.Secret, err error) (*api.Secret, error) {
	var answer *api.ResponseError
	if errors.As(err, &answer) && (answer.StatusCode == 400 || answer.StatusCode == 403) {
		return nil, carnet.E(carnet.Forbidden, "VAULT_LOGIN_FAILED", "Vault does not accept the login").
			Fix("the role id, the secret id (it may have expired or been used up) or the service account is not the role's; make a new secret id")
	}
	if err != nil {
		return nil, Explain("log in", err)
	}
	if s == nil || s.Auth == nil {
		return nil, errors.New("vault: a login without a token")
	}
	return s, nil
}

// readSecret reads a file that others must not be able to read.
func readSecret(path string) (string, error) {
	i, err := os.Stat(path)
	if err != nil {
		return "", badConfig("a secret for Vault can't be read").Because(err)
	}
	if i.Mode().IsRegular() && i.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		return "", carnet.E(carnet.Precondition, "KEY_FILE_READABLE", "%s can be read by other users (mode %04o)", path, i.Mode().Perm()).
			Fix("chmod 600 %s", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", badConfig("a secret for Vault can't be read").Because(err)
	}
	return strings.TrimSpace(string(b)), nil
}
