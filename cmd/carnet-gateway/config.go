package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/carnet-network/carnet/internal/filelock"
	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/columnstore"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/store"
)

// dataFlag is the folder that everything is kept in, and the database if it is elsewhere.
type dataFlag struct {
	Data  string `help:"Folder of the database and the ciphertext. Made if absent." default:"carnet-gateway-data" type:"path" placeholder:"DIR" env:"CARNET_DATA"`
	Store string `help:"PostgreSQL database of catalogue, journal and states, as postgres://USER@HOST/DATABASE?sslmode=verify-full; empty: a file of SQLite in the data folder. The password is read from PGPASSWORD or the file PGPASSFILE." placeholder:"ADDRESS" env:"CARNET_STORE"`
}

// database is the address or the file that metadata is kept in.
func (d dataFlag) database() string {
	if d.Store != "" {
		return d.Store
	}
	return filepath.Join(d.Data, "gateway.db")
}
func (d dataFlag) blobs() string   { return filepath.Join(d.Data, "blobs") }
func (d dataFlag) log() string     { return filepath.Join(d.Data, "log") }
func (d dataFlag) columns() string { return filepath.Join(d.Data, "columns") }

// policyState remembers the policy bundle in use.
func (d dataFlag) policyState() string { return filepath.Join(d.Data, "policy.json") }

func (d dataFlag) make() error {
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return carnet.E(carnet.Precondition, "BAD_DATA_DIR", "the folder %s can't be made", d.Data).Because(err).
			Fix("choose a folder this user may write to with --data")
	}
	return nil
}

// lock keeps a second gateway out of the folder: both would recover and compute the
// same queries and clean up each other's uploads.
func (d dataFlag) lock() (release func(), err error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	release, err = filelock.Take(filepath.Join(d.Data, "gateway.lock"))
	if errors.Is(err, filelock.ErrLocked) {
		return nil, carnet.E(carnet.Precondition, "DATA_IN_USE", "another gateway uses the folder %s", d.Data).
			Fix("stop it first, or choose another folder with --data")
	}
	if err != nil {
		return nil, carnet.E(carnet.Precondition, "BAD_DATA_DIR", "the folder %s can't be used", d.Data).Because(err).
			Fix("choose a folder this user may write to with --data")
	}
	return release, nil
}

func (d dataFlag) openStore(ctx context.Context) (*store.Store, error) {
	if d.Store != "" {
		if err := store.CheckAddress(d.Store); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, d.database())
}

func (d dataFlag) openBlobs() (*blob.Bucket, error) { return blob.OpenDir(d.blobs()) }

// serverFlags are shared by serve and check-config.
type serverFlags struct {
	dataFlag
	Listen        string        `help:"Address for gRPC. Port 0 chooses a free one." default:"127.0.0.1:7443" placeholder:"HOST:PORT" env:"CARNET_LISTEN"`
	RESTListen    string        `name:"rest-listen" help:"Address for REST; empty: none." default:"127.0.0.1:7444" placeholder:"HOST:PORT" env:"CARNET_REST_LISTEN"`
	MetricsListen string        `name:"metrics-listen" help:"Loopback address for /metrics, /healthz and /readyz without TLS; empty: none." default:"127.0.0.1:7445" placeholder:"HOST:PORT" env:"CARNET_METRICS_LISTEN"`
	TLSCert       string        `name:"tls-cert" help:"Server certificate. The TLS files are read again when they change." type:"path" placeholder:"FILE" env:"CARNET_TLS_CERT"`
	TLSKey        string        `name:"tls-key" help:"Its private key." type:"path" placeholder:"FILE" env:"CARNET_TLS_KEY"`
	TLSCA         string        `name:"tls-ca" help:"Certificate authority of the parties." type:"path" placeholder:"FILE" env:"CARNET_TLS_CA"`
	TLSRevoked    string        `name:"tls-revoked" help:"List of certificates that the authority revoked." type:"path" placeholder:"FILE" env:"CARNET_TLS_REVOKED"`
	Vault         string        `help:"File that says which HashiCorp Vault issues the server certificate and lists the revoked ones, instead of TLS files." type:"path" placeholder:"FILE" env:"CARNET_VAULT_CONFIG"`
	RegistrarKey  string        `name:"registrar-key" help:"File with the registrar's public key." required:"" type:"path" placeholder:"FILE" env:"CARNET_REGISTRAR"`
	Identity      string        `help:"Identity file that the gateway's decisions are signed with. Without it one is made in the data folder, for the party named by --operator." type:"path" placeholder:"FILE" env:"CARNET_IDENTITY"`
	Operator      string        `help:"Party in whose name the gateway decides, when --identity is not given." default:"gateway" placeholder:"PARTY" env:"CARNET_OPERATOR"`
	Workers       int           `help:"Processors that one computation may use; 0: all." default:"0" env:"CARNET_WORKERS"`
	Computations  int           `help:"Queries computed at a time." default:"1" env:"CARNET_COMPUTATIONS"`
	MaxReleases   int64         `help:"Distinct numbers that keyholders release per key, if they were given a lower limit than the scheme's, so that queries are refused before they are charged; 0: the scheme's." default:"0" placeholder:"N" env:"CARNET_MAX_RELEASES"`
	CubeMemory    byteSize      `help:"Memory for set-ups of cubes, kept for the next query; 384 KiB for each block of a column. 0: none." default:"512MiB" placeholder:"SIZE" env:"CARNET_CUBE_MEMORY"`
	Memory        byteSize      `help:"Memory for the accumulators of one computation." default:"1GiB" placeholder:"SIZE" env:"CARNET_MEMORY"`
	PublicCache   byteSize      `name:"public-cache" help:"Memory for expanded public halves of the columns that are scanned most; as large as the columns themselves. Without it they are made anew for every scan." placeholder:"SIZE" env:"CARNET_PUBLIC_CACHE"`
	Storage       string        `help:"How ciphertext is kept: ${enum}. Raw files are mapped and scanned where they lie; packed ones take less disk and are unpacked into --cache." enum:"raw,packed" default:"raw" env:"CARNET_STORAGE"`
	Cold          string        `help:"Where packed ciphertext is moved to once it is published: a folder on a large disk, or s3://NAME?region=REGION; empty: it stays in the data folder." placeholder:"PLACE" env:"CARNET_COLD"`
	Cache         byteSize      `help:"Memory for ciphertext that is unpacked from packed storage. Raw storage needs none: what is read stays in the system's file cache." default:"1GiB" placeholder:"SIZE" env:"CARNET_CACHE"`
	LogBatch      time.Duration `name:"log-batch" help:"How long the transparency log waits for more statements before it writes those it has. A query waits as long." default:"5ms" placeholder:"TIME" env:"CARNET_LOG_BATCH"`
	policy.Flags
	LogFormat string `name:"log-format" help:"Log as ${enum}." enum:"text,json" default:"text" env:"CARNET_LOG_FORMAT"`
	LogLevel  string `name:"log-level" help:"Least level logged: ${enum}." enum:"debug,info,warn,error" default:"info" env:"CARNET_LOG_LEVEL"`
}

// openColumns opens the folder of column files in the form that it was begun with.
func (f *serverFlags) openColumns(ctx context.Context) (*columnstore.Store, error) {
	form := columnfile.Raw
	if f.Storage == "packed" {
		form = columnfile.Packed
	}
	o := columnstore.Options{Form: form, Memory: int64(f.Cache)}
	if f.Cold != "" {
		ctx, cancel := context.WithTimeout(ctx, reachCold)
		defer cancel()
		cold, err := blob.Open(ctx, f.coldPlace())
		if err != nil {
			return nil, err
		}
		o.Cold = cold // open as long as the process runs
	}
	return columnstore.Open(f.columns(), o)
}

// reachCold is how long --cold may take to show that it is there.
const reachCold = 30 * time.Second

// coldPlace is --cold: an address as it is, the path of a folder made absolute.
func (f *serverFlags) coldPlace() string {
	if blob.IsAddress(f.Cold) {
		return f.Cold
	}
	return kong.ExpandPath(f.Cold)
}

// cubeMemory is the memory for set-ups as package flow wants it, where 0 is a default.
func (f *serverFlags) cubeMemory() int64 {
	if f.CubeMemory == 0 {
		return -1
	}
	return int64(f.CubeMemory)
}

// Validate is called by kong.
func (f *serverFlags) Validate() error {
	for name, addr := range map[string]string{"--listen": f.Listen, "--rest-listen": f.RESTListen, "--metrics-listen": f.MetricsListen} {
		if addr == "" && name != "--listen" {
			continue
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return errors.New(name + " is not HOST:PORT: " + err.Error())
		}
	}
	if f.MetricsListen != "" {
		host, _, _ := net.SplitHostPort(f.MetricsListen)
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return errors.New("--metrics-listen has no TLS and must be a loopback address, such as 127.0.0.1:7445")
		}
	}
	if !carnet.ValidName(f.Operator) {
		return errors.New("--operator is not a party identifier")
	}
	if f.Workers < 0 || f.Computations < 1 {
		return errors.New("--workers is at least 0 and --computations at least 1")
	}
	return nil
}

func (f *serverFlags) logger(s streams) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(f.LogLevel)); err != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}

// credentials are what serve needs from files.
type credentials struct {
	tls       *tls.Config
	leaf      *x509.Certificate
	keep      func(ctx context.Context)       // keeps the certificate up to date
	vault     func(ctx context.Context) error // whether the Vault it comes from serves; nil: from files
	registrar []byte
	identity  *ident.Identity // nil if it is still to be made
}

func (f *serverFlags) credentials(ctx context.Context, log *slog.Logger) (c credentials, err error) {
	if err = f.certificate(ctx, &c, log); err != nil {
		return c, err
	}
	if c.registrar, err = ident.ReadAnchor(f.RegistrarKey); err != nil {
		return c, err
	}
	path := f.identity()
	if f.Identity == "" {
		if _, err := os.Stat(path); err != nil {
			return c, nil // what is wrong with the folder is said where it is opened
		}
	}
	c.identity, err = ident.Load(path, passphrase)
	return c, err
}

// identity is the file that the gateway's identity is in, or will be.
func (f *serverFlags) identity() string {
	if f.Identity != "" {
		return f.Identity
	}
	return f.ownIdentity()
}

func (f *serverFlags) ownIdentity() string { return filepath.Join(f.Data, "identity.json") }

// makeIdentity makes the identity of a gateway that was given none. Its decisions
// can be attributed once the registrar has registered its key as the operator's.
func (f *serverFlags) makeIdentity() (*ident.Identity, error) {
	id, err := ident.New(carnet.PartyID(f.Operator), rand.Reader)
	if err != nil {
		return nil, err
	}
	return id, id.Save(f.ownIdentity(), "")
}

func passphrase(file string) (string, error) {
	if from := os.Getenv(ident.PassphraseEnv); from != "" {
		return ident.ReadPassphrase(from)
	}
	return "", carnet.E(carnet.Precondition, "PASSPHRASE_NEEDED", "the identity %s is encrypted", file).
		Fix("set %s to a file that holds the passphrase", ident.PassphraseEnv)
}

// byteSize is a number of bytes such as 512MiB.
type byteSize int64

var units = []struct {
	suffix string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *byteSize) UnmarshalText(text []byte) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(string(text), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 || n > (1<<62)/u.factor {
			break
		}
		*b = byteSize(n * u.factor)
		return nil
	}
	return errors.New("not a size such as 512MiB or 2GiB")
}
