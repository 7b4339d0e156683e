package history

import (
	"crypto/ed25519"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/overlap"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// State is what the entries applied so far establish.
type State struct {
	registrar ed25519.PublicKey

	parties    map[carnet.PartyID]*known
	committees map[carnet.Hash]*Committee
	schemas    map[carnet.Hash]*schema.Schema
	dealings   map[carnet.KeyID]*Dealing
	redealt    map[carnet.KeyID]*Dealing     // keys that are opened with another dealing now
	again      map[carnet.KeyID]carnet.KeyID // such dealings, and the key they are of
	manifests  map[carnet.Hash]*Manifest
	datasets   map[carnet.DatasetID]*Manifest // newest valid manifest
	nonces     map[carnet.Nonce]carnet.DatasetID
	products   map[carnet.ProductID]*carnet.Product
	revoked    map[carnet.DatasetID]*Ended
	retired    map[carnet.KeyID]*Ended
	cases      map[carnet.Hash]*Case // by statement hash of the query
	ids        map[queryID]carnet.Hash

	successions   map[carnet.KeyID]*carnet.Succession
	contributions map[moveID]map[int]*carnet.Contribution // by keyholder number

	budgets *Budgets
	docket  *overlap.Docket // of what queries tell together; nil: not judged
}

type queryID struct {
	buyer carnet.PartyID
	id    carnet.Hash
}

// Committee is a checked committee statement.
type Committee struct {
	Hash   carnet.Hash
	Body   carnet.Committee
	Scheme share.Committee
}

// Number returns the keyholder's number in the committee, 0 if it is no member.
func (c *Committee) Number(id carnet.PartyID) int { return slices.Index(c.Body.Members, id) + 1 }

// Dealing is a checked dealing, under the name that datasets know its key by.
type Dealing struct {
	Key       carnet.KeyID // as datasets and functionals name it
	ID        carnet.KeyID // statement hash; another one if the key was dealt again
	Body      carnet.Dealing
	Committee *Committee
	Profile   *he.Profile
	Released  int64 // numbers opened before this dealing, by its owner's word
	Replaced  time.Time
}

// Manifest is a checked dataset manifest.
type Manifest struct {
	Seq  int64
	Hash carnet.Hash
	Body carnet.Dataset
}

// Ended says when the use of a dataset or key ended.
type Ended struct {
	Seq int64
	At  time.Time // by its owner's clock
}

// New begins with an empty log of a network whose registrar has that key.
func New(registrar ed25519.PublicKey) *State {
	return &State{
		registrar:  registrar,
		parties:    map[carnet.PartyID]*known{},
		committees: map[carnet.Hash]*Committee{},
		schemas:    map[carnet.Hash]*schema.Schema{},
		dealings:   map[carnet.KeyID]*Dealing{},
		redealt:    map[carnet.KeyID]*Dealing{},
		again:      map[carnet.KeyID]carnet.KeyID{},
		manifests:  map[carnet.Hash]*Manifest{},
		datasets:   map[carnet.DatasetID]*Manifest{},
		nonces:     map[carnet.Nonce]carnet.DatasetID{},
		products:   map[carnet.ProductID]*carnet.Product{},
		revoked:    map[carnet.DatasetID]*Ended{},
		retired:    map[carnet.KeyID]*Ended{},
		cases:      map[carnet.Hash]*Case{},
		ids:        map[queryID]carnet.Hash{},

		successions:   map[carnet.KeyID]*carnet.Succession{},
		contributions: map[moveID]map[int]*carnet.Contribution{},

		budgets: NewBudgets(),
	}
}

// Case returns a query by its statement hash, nil if no valid one was applied.
func (s *State) Case(query carnet.Hash) *Case { return s.cases[query] }

// Committee returns a committee by its statement hash, nil if it is unknown.
func (s *State) Committee(h carnet.Hash) *Committee { return s.committees[h] }

// Committees lists all committees in no particular order.
func (s *State) Committees() (out []*Committee) {
	for _, c := range s.committees {
		out = append(out, c)
	}
	return out
}

// Manifest returns a manifest by its statement hash, nil if no valid one was applied.
func (s *State) Manifest(h carnet.Hash) *Manifest { return s.manifests[h] }

// Revoked returns when a dataset was revoked, nil if it was not.
func (s *State) Revoked(id carnet.DatasetID) *Ended { return s.revoked[id] }

// Retired returns when a key was retired, nil if it was not.
func (s *State) Retired(key carnet.KeyID) *Ended { return s.retired[key] }

// Opened is the dealing that a key is opened with now, nil if the key is unknown.
func (s *State) Opened(key carnet.KeyID) *Dealing {
	if d := s.redealt[key]; d != nil {
		return d
	}
	return s.dealings[key]
}

func invalid(reason, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, reason, format, args...)
}

// signer returns the party if it is known, has one of the roles and signed env.
func (s *State) signer(env *evidence.Envelope, id carnet.PartyID, roles ...carnet.Role) (*carnet.Party, error) {
	k := s.parties[id]
	if k == nil {
		return nil, invalid("UNKNOWN_PARTY", "party %q is not registered", id)
	}
	p := k.present()
	if !slices.ContainsFunc(roles, p.HasRole) {
		return nil, invalid("WRONG_ROLE", "party %q is no %s", id, carnet.RoleNames(roles))
	}
	if err := k.signed(env); err != nil {
		return nil, err
	}
	return p, nil
}

// older refuses a statement that was made before the one it would replace.
func older(what string, made, present time.Time) error {
	if made.Before(present) {
		return invalid("OLDER_STATEMENT", "%s was replaced by a statement of %s, and this one is of %s", what,
			present.UTC().Format(time.RFC3339), made.UTC().Format(time.RFC3339))
	}
	return nil
}
