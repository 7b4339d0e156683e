package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
)

// config is the part of the real server's configuration that this one understands. A
// setting that it does not know is an error, not silence.
type config struct {
	Storage         map[string]map[string]string `json:"storage"`
	Listener        map[string]listener          `json:"listener"`
	APIAddr         string                       `json:"api_addr"`
	PluginDirectory string                       `json:"plugin_directory"`
	DisableMlock    bool                         `json:"disable_mlock"`
	LogLevel        string                       `json:"log_level"`
}

type listener struct {
	Address string `json:"address"`
	Cert    string `json:"tls_cert_file"`
	Key     string `json:"tls_key_file"`
	Largest int64  `json:"max_request_size"` // bytes; 0: the default of the real server
}

func readConfig(args []string) (*config, listener, error) {
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	path := f.String("config", "", "configuration file, JSON")
	if err := f.Parse(args); err != nil {
		return nil, listener{}, err
	}
	file, err := os.Open(*path)
	if err != nil {
		return nil, listener{}, err
	}
	defer file.Close()
	d := json.NewDecoder(file)
	d.DisallowUnknownFields()
	c := &config{LogLevel: "info"}
	if err := d.Decode(c); err != nil {
		return nil, listener{}, fmt.Errorf("%s: %w", *path, err)
	}
	l, ok := c.Listener["tcp"]
	if !ok || l.Address == "" || l.Cert == "" || l.Key == "" || len(c.Storage) != 1 || c.APIAddr == "" {
		return nil, listener{}, errors.New("one storage, api_addr and a tcp listener with address, certificate and key are needed")
	}
	return c, l, nil
}
