package client

import (
	"context"
	"errors"
	"io"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// ReadLog calls do with the log's entries before number size, in order and checked to
// follow each other, and returns the state that they make. It is for parties that may read
// the log. A log that is shorter is an error of kind Unavailable.
func (c *Client) ReadLog(ctx context.Context, size int64, do func(*evidence.Entry) error) (carnet.Checkpoint, error) {
	var tree evidence.Tree
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.journal.Follow(ctx, &pb.FollowRequest{StopAtEnd: true})
	if err != nil {
		return carnet.Checkpoint{}, fault(err)
	}
	for tree.Size() < size {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return carnet.Checkpoint{}, carnet.E(carnet.Unavailable, "JOURNAL_SHORTER", "the gateway serves %d entries of the log, asked for were %d", tree.Size(), size).
				Fix("try again in a moment; if it stays so, compare checkpoints with the keyholders")
		}
		if err != nil {
			return carnet.Checkpoint{}, fault(err)
		}
		if event.GetEntry() == nil {
			continue
		}
		e, err := apiconv.FromEntry(event.GetEntry())
		if err != nil {
			return carnet.Checkpoint{}, err
		}
		if err := tree.Append(e); err != nil {
			return carnet.Checkpoint{}, err
		}
		if err := do(e); err != nil {
			return carnet.Checkpoint{}, err
		}
	}
	return tree.Checkpoint(), nil
}
