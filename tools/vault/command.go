package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/vault/api"
)

// flags are those of the few commands that are here, with the real program's names.
type flags struct {
	path, version, field, wrap, policy, period string
	sha256, command, plugin, pluginVersion     string
	force                                      bool
	shares, threshold                          int
}

// command runs a client command against VAULT_ADDR with VAULT_TOKEN.
func command(args []string) error {
	verb := args[0]
	args = args[1:]
	if slices.Contains([]string{"secrets", "auth", "audit", "policy", "operator", "token", "plugin"}, verb) {
		if len(args) == 0 {
			return fmt.Errorf("%s needs a subcommand\n%s", verb, usage)
		}
		verb, args = verb+" "+args[0], args[1:]
	}
	var o flags
	set := flag.NewFlagSet(verb, flag.ContinueOnError)
	set.StringVar(&o.path, "path", "", "")
	set.StringVar(&o.version, "version", "", "")
	set.StringVar(&o.field, "field", "", "")
	set.StringVar(&o.wrap, "wrap-ttl", "", "")
	set.StringVar(&o.policy, "policy", "", "")
	set.StringVar(&o.period, "period", "", "")
	set.StringVar(&o.sha256, "sha256", "", "")
	set.StringVar(&o.command, "command", "", "")
	set.StringVar(&o.plugin, "plugin", "", "")
	set.StringVar(&o.pluginVersion, "plugin-version", "", "")
	set.BoolVar(&o.force, "f", false, "")
	set.IntVar(&o.shares, "key-shares", 1, "")
	set.IntVar(&o.threshold, "key-threshold", 1, "")
	if err := set.Parse(args); err != nil {
		return err
	}
	do, known := commands[verb]
	if !known || set.NArg() < do.args {
		return fmt.Errorf("%q is not understood\n%s", verb, usage)
	}
	cfg := api.DefaultConfig()
	if cfg.Error != nil {
		return cfg.Error
	}
	c, err := api.NewClient(cfg)
	if err != nil {
		return err
	}
	if o.wrap != "" {
		c.SetWrappingLookupFunc(func(string, string) string { return o.wrap })
	}
	return do.run(c, o, set.Args())
}

var commands = map[string]struct {
	args int
	run  func(c *api.Client, o flags, args []string) error
}{
	"status": {0, func(c *api.Client, _ flags, _ []string) error {
		s, err := c.Sys().SealStatus()
		if err != nil {
			return err
		}
		fmt.Printf("Initialized  %t\nSealed       %t\nVersion      %s\n", s.Initialized, s.Sealed, s.Version)
		return nil
	}},
	"operator init": {0, func(c *api.Client, o flags, _ []string) error {
		r, err := c.Sys().Init(&api.InitRequest{SecretShares: o.shares, SecretThreshold: o.threshold})
		if err != nil {
			return err
		}
		for i, k := range r.KeysB64 {
			fmt.Printf("Unseal Key %d: %s\n", i+1, k)
		}
		fmt.Printf("\nInitial Root Token: %s\n", r.RootToken)
		return nil
	}},
	"operator unseal": {1, func(c *api.Client, _ flags, args []string) error {
		_, err := c.Sys().Unseal(args[0])
		return err
	}},
	"operator seal": {0, func(c *api.Client, _ flags, _ []string) error { return c.Sys().Seal() }},
	"secrets enable": {1, func(c *api.Client, o flags, args []string) error {
		in := &api.MountInput{Type: args[0], Config: api.MountConfigInput{PluginVersion: o.pluginVersion}}
		if o.version != "" {
			in.Options = map[string]string{"version": o.version}
		}
		return c.Sys().Mount(o.at(args[0]), in)
	}},
	"secrets tune": {1, func(c *api.Client, o flags, args []string) error {
		_, err := c.Logical().Write("sys/mounts/"+args[0]+"/tune", map[string]any{"plugin_version": o.pluginVersion})
		return err
	}},
	"plugin register": {2, func(c *api.Client, o flags, args []string) error {
		kind, err := api.ParsePluginType(args[0])
		if err != nil {
			return err
		}
		if o.command == "" {
			o.command = args[1]
		}
		return c.Sys().RegisterPlugin(&api.RegisterPluginInput{Name: args[1], Type: kind, Command: o.command, SHA256: o.sha256, Version: o.version})
	}},
	"plugin reload": {0, func(c *api.Client, o flags, _ []string) error {
		_, err := c.Sys().ReloadPlugin(&api.ReloadPluginInput{Plugin: o.plugin})
		return err
	}},
	"auth enable": {1, func(c *api.Client, o flags, args []string) error {
		return c.Sys().EnableAuthWithOptions(o.at(args[0]), &api.EnableAuthOptions{Type: args[0]})
	}},
	"audit enable": {2, func(c *api.Client, o flags, args []string) error {
		options := map[string]string{}
		for _, a := range args[1:] {
			k, v, _ := strings.Cut(a, "=")
			options[k] = v
		}
		return c.Sys().EnableAuditWithOptions(o.at(args[0]), &api.EnableAuditOptions{Type: args[0], Options: options})
	}},
	"policy write": {2, func(c *api.Client, _ flags, args []string) error {
		text, err := contents(args[1])
		if err != nil {
			return err
		}
		return c.Sys().PutPolicy(args[0], text)
	}},
	"read": {1, func(c *api.Client, o flags, args []string) error {
		return show(o)(c.Logical().Read(args[0]))
	}},
	"delete": {1, func(c *api.Client, _ flags, args []string) error {
		_, err := c.Logical().Delete(args[0])
		return err
	}},
	"list": {1, func(c *api.Client, o flags, args []string) error {
		s, err := c.Logical().List(args[0])
		if err != nil || s == nil {
			return err
		}
		fmt.Println("Keys\n----")
		names, _ := s.Data["keys"].([]any)
		for _, n := range names {
			fmt.Println(n)
		}
		return nil
	}},
	"write": {1, func(c *api.Client, o flags, args []string) error {
		data := map[string]any{}
		for _, a := range args[1:] {
			k, v, ok := strings.Cut(a, "=")
			if !ok {
				return fmt.Errorf("%q is not KEY=VALUE", a)
			}
			if file, is := strings.CutPrefix(v, "@"); is {
				text, err := contents(file)
				if err != nil {
					return err
				}
				v = text
			}
			data[k] = v
		}
		return show(o)(c.Logical().Write(args[0], data))
	}},
	"token create": {0, func(c *api.Client, o flags, _ []string) error {
		return show(o)(c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{o.policy}, Period: o.period}))
	}},
}

func (o flags) at(kind string) string {
	if o.path != "" {
		return o.path
	}
	return kind
}

func contents(name string) (string, error) {
	if name == "-" {
		b, err := io.ReadAll(os.Stdin)
		return string(b), err
	}
	b, err := os.ReadFile(name)
	return string(b), err
}

// show prints one field alone, or all of them.
func show(o flags) func(*api.Secret, error) error {
	return func(s *api.Secret, err error) error {
		if err != nil || s == nil {
			return err
		}
		all := s.Data
		switch {
		case s.WrapInfo != nil:
			all = map[string]any{"wrapping_token": s.WrapInfo.Token, "wrapping_token_ttl": s.WrapInfo.TTL}
		case s.Auth != nil:
			all = map[string]any{"token": s.Auth.ClientToken, "token_duration": s.Auth.LeaseDuration, "token_policies": s.Auth.TokenPolicies}
		}
		if o.field != "" {
			v, ok := all[o.field]
			if !ok {
				return fmt.Errorf("there is no field %s", o.field)
			}
			fmt.Println(v)
			return nil
		}
		for k, v := range all {
			fmt.Printf("%-24s %v\n", k, v)
		}
		return nil
	}
}
