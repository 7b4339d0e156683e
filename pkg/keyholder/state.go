package keyholder

import (
	"crypto/ed25519"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// state is what the journal says so far, as far as signatures prove it. A statement
// that proves nothing has no effect; the journal still counts it as an entry.
//
// One goroutine applies entries; others read under the lock. What a query refers to
// is looked up when its entry is applied (see newCase), so that every keyholder
// decides it on the same facts however late it is; revocations are looked up again
// when answering.
type state struct {
	registrar ed25519.PublicKey
	me        carnet.PartyID

	mu         sync.RWMutex
	applied    int64 // entries so far
	parties    map[carnet.PartyID]*evidence.PartyChain
	committees map[carnet.Hash]*committee
	schemas    map[carnet.Hash]*schema.Schema
	dealings   map[carnet.KeyID]*dealing
	nonces     map[carnet.Nonce]carnet.DatasetID    // file -> the dataset it belongs to for good
	reused     map[carnet.DatasetID]bool            // datasets of which a manifest named a file of another manifest
	manifests  map[carnet.Hash]*manifest            // by statement hash
	datasets   map[carnet.DatasetID]*manifest       // newest valid manifest
	published  map[carnet.PartyID][]*carnet.Dataset // all valid manifests of an owner, in order; entries are only added
	products   map[carnet.ProductID]*carnet.Product
	revoked    map[carnet.DatasetID]bool
	retired    map[carnet.KeyID]bool
	redealt    map[carnet.KeyID]*dealing                        // keys that are opened with another dealing now
	again      map[carnet.KeyID]carnet.KeyID                    // such dealings, and the key they are of
	destroyed  map[carnet.KeyID]map[int]bool                    // keyholders that said they destroyed their seeds
	checks     map[carnet.Hash]map[carnet.PartyID]*carnet.Check // of queries with a private parameter that wait
	own        time.Time                                        // latest date of a statement of this keyholder in the journal
	approvals  map[carnet.Hash]map[carnet.PartyID]*approved     // of queries that wait

	successions   map[carnet.KeyID]*succession
	contributions map[moveID]map[int]*contribution // by keyholder number
}

type committee struct {
	hash   carnet.Hash
	body   carnet.Committee
	scheme share.Committee
	seq    int64 // its entry
	number int   // of this keyholder, 0 if it is no member
	env    *evidence.Envelope
}

type dealing struct {
	key       carnet.KeyID // as datasets and functionals name it
	id        carnet.KeyID // statement hash; another one if the key was dealt again
	since     int64        // entry from which on the key is opened with this dealing
	released  int64        // numbers opened before that, by its owner's word
	replaced  time.Time    // when its owner signed that
	again     *keys.Again  // what it signed
	body      carnet.Dealing
	committee *committee
	profile   *he.Profile
	env       *evidence.Envelope
	move      *move    // how it came about, if the holders of another one made it
	before    *dealing // what the key was opened with before
}

// shared is the dealing as whoever makes shares is told of it.
func (d *dealing) shared() *keys.Dealing {
	s := &keys.Dealing{Key: d.id, Statement: d.env, Body: &d.body, Committee: d.committee.env,
		Scheme: d.committee.scheme, Number: d.committee.number, Profile: d.profile, Handed: d.move != nil}
	if d.id != d.key {
		s.As, s.Again = d.key, d.again
	}
	return s
}

type manifest struct {
	hash carnet.Hash
	body carnet.Dataset
}

func newState(registrar ed25519.PublicKey, me carnet.PartyID) *state {
	return &state{registrar: registrar, me: me,
		parties:    map[carnet.PartyID]*evidence.PartyChain{},
		committees: map[carnet.Hash]*committee{},
		schemas:    map[carnet.Hash]*schema.Schema{},
		dealings:   map[carnet.KeyID]*dealing{},
		nonces:     map[carnet.Nonce]carnet.DatasetID{},
		reused:     map[carnet.DatasetID]bool{},
		manifests:  map[carnet.Hash]*manifest{},
		datasets:   map[carnet.DatasetID]*manifest{},
		published:  map[carnet.PartyID][]*carnet.Dataset{},
		products:   map[carnet.ProductID]*carnet.Product{},
		revoked:    map[carnet.DatasetID]bool{},
		retired:    map[carnet.KeyID]bool{},
		redealt:    map[carnet.KeyID]*dealing{},
		again:      map[carnet.KeyID]carnet.KeyID{},
		destroyed:  map[carnet.KeyID]map[int]bool{},
		checks:     map[carnet.Hash]map[carnet.PartyID]*carnet.Check{},
		approvals:  map[carnet.Hash]map[carnet.PartyID]*approved{},

		successions:   map[carnet.KeyID]*succession{},
		contributions: map[moveID]map[int]*contribution{},
	}
}

// apply takes a statement in. The error says why it has no effect.
func (s *state) apply(env *evidence.Envelope) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied++
	switch env.PayloadType {
	case carnet.TypeParty:
		return s.applyParty(env)
	case carnet.TypePartyRevocation:
		return s.applyPartyRevocation(env)
	case carnet.TypeCommittee:
		return s.applyCommittee(env)
	case carnet.TypeSchema:
		return s.applySchema(env)
	case carnet.TypeDealing:
		return s.applyDealing(env)
	case carnet.TypeDataset:
		return s.applyDataset(env)
	case carnet.TypeProduct:
		return s.applyProduct(env)
	case carnet.TypeRevocation:
		return s.applyRevocation(env)
	case carnet.TypeRetirement:
		return s.applyRetirement(env)
	case carnet.TypeDestruction:
		return s.applyDestruction(env)
	case carnet.TypeRedealing:
		return s.applyRedealing(env)
	case carnet.TypeSuccession:
		return s.applySuccession(env)
	case carnet.TypeContribution:
		return s.applyContribution(env)
	case carnet.TypeResharing:
		return s.applyResharing(env)
	case carnet.TypeCheck:
		return s.applyCheck(env)
	case carnet.TypeQuery:
		s.expectChecks(env)
		s.expectApprovals(env.Hash())
		return nil
	case carnet.TypeApproval:
		return s.applyApproval(env)
	case carnet.TypeDecision, carnet.TypeAnswer, carnet.TypeDeferral:
		s.noteOwn(env)
		return nil // they change nothing else here; see newCase and ownOutcome
	case carnet.TypeCertificate, carnet.TypeUsage:
		return nil // they change nothing here; see newCase and ownOutcome
	}
	return noEffect("UNKNOWN_STATEMENT_TYPE", "statements of type %q are unknown", env.PayloadType)
}

func noEffect(reason, format string, args ...any) error {
	return carnet.E(carnet.Invalid, reason, format, args...)
}

// older refuses a statement that was made before the one it would replace. Signatures
// do not expire: without this a gateway that holds an owner's first terms back, or
// repeats a party's lost key, could put them in force after what replaced them.
func older(what string, made, present time.Time) error {
	if made.Before(present) {
		return noEffect("OLDER_STATEMENT", "%s was replaced by a statement of %s, and this one is of %s", what,
			present.UTC().Format(time.RFC3339), made.UTC().Format(time.RFC3339))
	}
	return nil
}

func (s *state) dealing(key carnet.KeyID) *dealing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.dealings[key]
}

// fileOwner is the dataset whose manifest named the file first.
func (s *state) fileOwner(n carnet.Nonce) carnet.DatasetID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.nonces[n]
}

func (s *state) isRevoked(id carnet.DatasetID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.revoked[id]
}

// mine lists the committees this keyholder is a member of.
func (s *state) mine() (out []*committee) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.committees {
		if c.number > 0 {
			out = append(out, c)
		}
	}
	return out
}
