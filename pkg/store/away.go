package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// told is the error of a transaction as callers are told it. That a database server can't
// be asked now is for its operator to mend, and a reason to try again for everybody else.
// ctx is the caller's; began says that the transaction began.
func (s *Store) told(ctx context.Context, err error, began bool) error {
	if err == nil || s.limit == 0 || ctx.Err() != nil {
		return err
	}
	var e *carnet.Error
	if known := errors.As(err, &e); known && began || !known && began && !away(err) {
		return err
	}
	return carnet.E(carnet.Unavailable, "STORE_UNAVAILABLE", "the gateway can't use its database now").Because(err).
		Fix("try again later; the gateway's operator finds the cause in its log")
}

// away reports whether an error says that the server can't be asked, and not that it
// refused what it was asked.
func away(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		// Connection, resources, operator and system; and a server that only reads.
		return len(said.Code) == 5 && slices.Contains([]string{"08", "53", "57", "58"}, said.Code[:2]) || said.Code == "25006"
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) ||
		slices.ContainsFunc([]error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone, context.Canceled, context.DeadlineExceeded},
			func(e error) bool { return errors.Is(err, e) })
}
