package store

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	// writerLock is the advisory lock that the connection of the one writer holds.
	writerLock = 0x6361726e6574 // "carnet"
	// lockPatience is how long a gateway waits for the lock: the server may not have
	// noticed yet that the process before it has ended.
	lockPatience = 3 * time.Second
	// answerLimit bounds how long the server is waited for, should the network swallow
	// what it says, or a disk or standby of its stand still: meanwhile nothing else is
	// written.
	answerLimit = time.Minute
)

// IsAddress reports whether a place is that of a PostgreSQL database, not of a file.
func IsAddress(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// Redacted is a place without its password.
func Redacted(place string) string {
	if !IsAddress(place) {
		return place
	}
	u, err := url.Parse(place)
	if err != nil {
		return "postgres://…"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// openPostgres: all that is written goes over one connection, which holds a lock as long
// as it lives. If it breaks, what was not committed is undone by the server, and the next
// connection writes nothing before it has the lock. So there is never a second writer,
// however late the server or a gateway notices that a connection is gone.
func openPostgres(ctx context.Context, address string) (*Store, error) {
	const remedy = "check the address, the server and the rights of the user; see docs/howto/postgres.md"
	what := Redacted(address)
	c, err := parse(address)
	if err != nil {
		return nil, err
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "carnet-gateway"
	}
	s := &Store{view: sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}, limit: answerLimit}
	s.write = stdlib.OpenDB(*c, stdlib.OptionAfterConnect(prepareWriter))
	s.write.SetMaxOpenConns(1)
	s.read = stdlib.OpenDB(*c)
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if err = migrate(ctx, goose.DialectPostgres, s.write); err != nil {
		s.Close()
		return nil, unusable(what, err, remedy)
	}
	return s, nil
}

// CheckAddress finds fault with the address of a database without asking the server.
func CheckAddress(address string) error {
	_, err := parse(address)
	return err
}

func parse(address string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(address)
	if err != nil || !IsAddress(address) {
		return nil, carnet.E(carnet.Invalid, "BAD_STORE", "%s is not the address of a PostgreSQL database", Redacted(address)).
			Fix("write postgres://USER@HOST/DATABASE?sslmode=verify-full; the password is read from PGPASSWORD or the file PGPASSFILE")
	}
	if err := writable(c, address); err != nil {
		return nil, err
	}
	return c, private(c)
}

// writable has every connection be to a server that can be written to. Of several hosts some
// may be standbys, which lack what was committed last: what is read there is no base for a
// decision.
func writable(c *pgx.ConnConfig, address string) error {
	asked := os.Getenv("PGTARGETSESSIONATTRS")
	_, settings, _ := strings.Cut(address, "?") // url.Parse does not know several hosts
	if q, err := url.ParseQuery(settings); err == nil && q.Has("target_session_attrs") {
		asked = q.Get("target_session_attrs")
	}
	switch asked {
	case "", "read-write", "primary":
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		return nil
	}
	return carnet.E(carnet.Invalid, "BAD_STORE", "with target_session_attrs=%s the database on %s may be a standby, which lacks what was written last", asked, Redacted(address)).
		Fix("leave target_session_attrs out, or write read-write, which is what the gateway asks for")
}

// private refuses to send statements over a network where others can read or change them.
func private(c *pgx.ConnConfig) error {
	type way struct {
		host string
		tls  *tls.Config
	}
	ways := []way{{c.Host, c.TLSConfig}}
	for _, f := range c.Fallbacks {
		ways = append(ways, way{f.Host, f.TLSConfig})
	}
	for _, w := range ways {
		ip := net.ParseIP(w.host)
		here := strings.HasPrefix(w.host, "/") || w.host == "localhost" || ip != nil && ip.IsLoopback()
		checked := w.tls != nil && (!w.tls.InsecureSkipVerify || w.tls.VerifyPeerCertificate != nil || w.tls.VerifyConnection != nil)
		if !here && !checked {
			return carnet.E(carnet.Invalid, "STORE_EXPOSED", "the connection to the database on %s would not be protected by TLS with a certificate that is checked", w.host).
				Fix("add sslmode=verify-full to --store, and sslrootcert=FILE for the authority of its certificate")
		}
	}
	return nil
}

// prepareWriter makes a new connection that of the writer, or refuses it.
func prepareWriter(ctx context.Context, c *pgx.Conn) error {
	if err := lockWriter(ctx, c); err != nil {
		return err
	}
	var fsync, commits, encoding string
	var ordered bool
	if err := c.QueryRow(ctx, `SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding'), 'B' < 'a'`).
		Scan(&fsync, &commits, &encoding, &ordered); err != nil {
		return err
	}
	switch {
	case fsync != "on":
		return carnet.E(carnet.Precondition, "STORE_UNSAFE", "the database server does not force to disk what it commits (fsync is %s)", fsync).
			Fix("set fsync = on in its configuration: what was published must not be lost")
	case encoding != "UTF8" || !ordered:
		return carnet.E(carnet.Precondition, "STORE_COLLATION", "the database has encoding %s and sorts by a language", encoding).
			Fix("make it anew: CREATE DATABASE carnet TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
	case commits == "off":
		_, err := c.Exec(ctx, `SET synchronous_commit = on`)
		return err
	}
	return nil
}

// lockWriter takes the lock, which the server frees when the connection ends.
func lockWriter(ctx context.Context, c *pgx.Conn) error {
	for end := time.Now().Add(lockPatience); ; {
		var mine bool
		if err := c.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(writerLock)).Scan(&mine); err != nil || mine {
			return err
		}
		if time.Now().After(end) {
			return carnet.E(carnet.Precondition, "STORE_IN_USE", "another gateway writes to the database").
				Fix("stop it first, or name another database with --store")
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), errors.New("waiting for the writer's lock"))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
