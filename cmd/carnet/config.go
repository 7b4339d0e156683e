package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// config is config.yaml in the home directory. Relative paths are relative to it.
type config struct {
	Party     partyInfo `yaml:"party"`
	Identity  string    `yaml:"identity"`  // identity file
	Gateway   string    `yaml:"gateway"`   // host:port of the gateway
	CA        string    `yaml:"ca"`        // CA certificate of the network
	Cert      string    `yaml:"cert"`      // this party's certificate
	Key       string    `yaml:"key"`       // and its private key
	Registrar string    `yaml:"registrar"` // the registrar's public key, pinned
}

// partyInfo is what a party says about itself in its registration.
type partyInfo struct {
	ID           carnet.PartyID      `yaml:"id"`
	Name         string              `yaml:"name,omitempty"`
	Jurisdiction carnet.Jurisdiction `yaml:"jurisdiction,omitempty"`
	Roles        []carnet.Role       `yaml:"roles,omitempty"`
	Created      time.Time           `yaml:"created"`
}

const configFile = "config.yaml"

func (a *app) config() (*config, error) {
	path := a.path(configFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noIdentity(a.home)
	}
	if err != nil {
		return nil, err
	}
	c := &config{}
	if err := decodeYAML(path, data, c); err != nil {
		return nil, err
	}
	return c, nil
}

func (a *app) saveConfig(c *config) error {
	data, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(a.path(configFile), data, 0o600)
}

// decodeYAML decodes a small file strictly: an unknown field is an error with its line.
func decodeYAML(path string, data []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(into)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	e := carnet.E(carnet.Invalid, "BAD_YAML", "%s can't be used", path).Fix("check indentation, brackets, quotes and colons near this line")
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return e.Because(err)
	}
	for _, m := range te.Errors {
		// yaml says "line 3: field buyer not found in type main.termsFile".
		where, what, ok := strings.Cut(strings.TrimPrefix(m, "line "), ": ")
		if !ok {
			return e.Because(err)
		}
		what, in, _ := strings.Cut(what, " in type ")
		what = strings.TrimSuffix(strings.Replace(what, " not found", " is not known", 1), " into")
		if rest, ok := strings.CutPrefix(what, "cannot unmarshal "); ok {
			what = wrongForm(rest)
		} else if known := fieldsOf(reflect.TypeOf(into), in); len(known) > 0 {
			what += "; known are " + strings.Join(known, ", ")
		}
		e = e.With(path+":"+where, "%s", what)
	}
	return e.Fix("correct these lines")
}

// fieldsOf lists the fields of the struct of that name, such as main.termsFile, which is t or a
// part of it.
func fieldsOf(t reflect.Type, name string) (out []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key == "" {
			continue
		} else if t.String() == name {
			out = append(out, key)
		} else if inner := fieldsOf(f.Type, name); len(inner) > 0 {
			return inner
		}
	}
	return out
}

// wrongForm says in plain words what yaml says as "!!str `x` into []carnet.PartyID".
func wrongForm(s string) string {
	got, want, _ := strings.Cut(s, " into ")
	if _, value, ok := strings.Cut(got, "`"); ok {
		got = `"` + strings.TrimSuffix(value, "`") + `"`
	} else {
		got = strings.NewReplacer("!!seq", "a list", "!!map", "a map").Replace(got)
	}
	switch {
	case strings.HasPrefix(want, "[]"):
		want = "a list, such as [" + strings.Trim(got, `"`) + "]"
	case want == "int":
		want = "a whole number"
	default:
		want = "a single value"
	}
	return got + " stands where " + want + " is needed"
}
