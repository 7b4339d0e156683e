package client

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Signer is a party that signs statements; *ident.Identity is one.
type Signer interface {
	evidence.Signer
	Party() carnet.PartyID
}

// Client talks to one gateway in the name of one party.
type Client struct {
	conn      *grpc.ClientConn
	registrar ed25519.PublicKey
	now       func() time.Time

	registry  pb.RegistryServiceClient
	dealings  pb.DealingServiceClient
	reshares  pb.ReshareServiceClient
	datasets  pb.DatasetServiceClient
	catalogue pb.CatalogueServiceClient
	queries   pb.QueryServiceClient
	journal   pb.JournalServiceClient
	policies  pb.PolicyServiceClient
	metering  pb.MeteringServiceClient
	approvals pb.ApprovalServiceClient
}

// maxMessage bounds a message from the gateway: a listing of signed statements of up
// to evidence.MaxPayload each is the largest.
const maxMessage = 64 << 20

// Dial prepares a connection to the gateway at host:port; it is made with the first
// call. registrar is the pinned key that parties and committees must be signed with.
func Dial(address string, tlsConfig *tls.Config, registrar ed25519.PublicKey, opts ...grpc.DialOption) (*Client, error) {
	if len(registrar) != ed25519.PublicKeySize {
		return nil, carnet.E(carnet.Precondition, "NO_REGISTRAR_KEY", "the registrar's key is missing")
	}
	if tlsConfig == nil || tlsConfig.MinVersion < tls.VersionTLS13 {
		return nil, carnet.E(carnet.Precondition, "NO_TLS", "a connection needs TLS 1.3 with a client certificate")
	}
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	}, opts...)
	conn, err := grpc.NewClient(address, opts...)
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_ADDRESS", "%q is not an address", address).Because(err)
	}
	return newClient(conn, registrar), nil
}

func newClient(conn *grpc.ClientConn, registrar ed25519.PublicKey) *Client {
	return &Client{
		conn: conn, registrar: registrar, now: func() time.Time { return time.Now().UTC() },
		registry:  pb.NewRegistryServiceClient(conn),
		dealings:  pb.NewDealingServiceClient(conn),
		reshares:  pb.NewReshareServiceClient(conn),
		datasets:  pb.NewDatasetServiceClient(conn),
		catalogue: pb.NewCatalogueServiceClient(conn),
		queries:   pb.NewQueryServiceClient(conn),
		journal:   pb.NewJournalServiceClient(conn),
		policies:  pb.NewPolicyServiceClient(conn),
		metering:  pb.NewMeteringServiceClient(conn),
		approvals: pb.NewApprovalServiceClient(conn),
	}
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// timestamp is the time put into statements: seconds are enough, and equal
// statements get equal bytes in every time zone.
func (c *Client) timestamp() time.Time { return c.now().UTC().Truncate(time.Second) }

// Ping asks for the newest checkpoint of the journal: it tells whether the gateway
// can be reached and knows this party's certificate.
func (c *Client) Ping(ctx context.Context) (carnet.Checkpoint, error) {
	var cp carnet.Checkpoint
	resp, err := c.journal.GetCheckpoint(ctx, &pb.GetCheckpointRequest{})
	if err != nil {
		return cp, fault(err)
	}
	if resp.GetCheckpoint() == nil {
		return cp, nil // nothing has been published yet
	}
	note, err := evidence.ParseCheckpoint([]byte(resp.GetCheckpoint().GetNote()))
	if err != nil {
		return cp, err
	}
	return note.Checkpoint, nil
}
