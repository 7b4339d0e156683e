package plan

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// Dataset is one owner's published table: the signed manifest and its identity.
type Dataset struct {
	Hash     carnet.Hash // statement hash of the manifest
	Manifest carnet.Dataset
}

// Product is everything Compile knows about what is queried. It is read only and may
// be shared between goroutines. The order of Datasets has no influence.
type Product struct {
	ID        carnet.ProductID
	Schema    *schema.Schema
	Encoding  *schema.Encoding // of the schema, in the layout of the datasets
	Profile   *he.Profile      // the one named by Encoding
	Committee share.Committee
	// Keyholders is the statement hash of the committee. Products of one query have the
	// same.
	Keyholders carnet.Hash
	Datasets   []Dataset            // not revoked
	Homes      map[carnet.KeyID]int // keys with a home part -> number of the home keyholder
	// PrivateChecks is carnet.Committee.PrivateChecks of the committee.
	PrivateChecks int
}
