package flow

import (
	"context"
	"math"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
)

// RedealKey stores an owner's statement that a key is opened with another dealing of the
// same secret from now on. Queries that came before are answered by the committee they
// came to. Only its owner knows whether the secret is the same.
func (g *Gateway) RedealKey(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var r carnet.Redealing
	if err := env.Decode(carnet.TypeRedealing, &r); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, r.Owner); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, r.Owner, carnet.RoleOwner); err != nil {
			return err
		}
		if err := checkRedealing(tx, &r); err != nil {
			return err
		}
		charged, _, err := tx.Charged(r.Key, nil)
		if err != nil {
			return err
		}
		list, err := tx.Redealings(r.Key)
		if err != nil {
			return err
		}
		if n := len(list); n > 0 {
			charged += list[n-1].Extra
			if err := notOlderThan(list, &r); err != nil {
				return err
			}
		}
		if r.Released < charged {
			return carnet.E(carnet.Precondition, "RELEASED_TOO_FEW", "queries have asked for %d numbers under key %s, the statement says %d", charged, r.Key, r.Released).
				Fix("sign it again with at least %d", charged)
		}
		extra := r.Released - charged
		if n := len(list); n > 0 {
			extra += list[n-1].Extra
		}
		return tx.PutRedealing(RedealingRecord{r.Key, r.Dealing, extra, st})
	})
}

// notOlderThan compares a redealing with the newest one of its owner.
func notOlderThan(list []RedealingRecord, r *carnet.Redealing) error {
	for _, l := range slices.Backward(list) {
		if l.Statement.Envelope.PayloadType != carnet.TypeRedealing {
			continue // by keyholders, without a time
		}
		var old carnet.Redealing
		if err := l.Statement.Envelope.Decode(carnet.TypeRedealing, &old); err != nil {
			return err
		}
		return notOlder("the dealing of key "+r.Key.String(), r.Created, old.Created)
	}
	return nil
}

// checkRedealing: both dealings are of the owner and of one profile, and the second is used
// for nothing else.
func checkRedealing(tx Tx, r *carnet.Redealing) error {
	e := bad("BAD_REDEALING", "the key can't be opened with that dealing")
	var bodies [2]carnet.Dealing
	for i, k := range []carnet.KeyID{r.Key, r.Dealing} {
		d, st, err := tx.GetDealing(k)
		if err != nil && !absent(err) {
			return err
		}
		if err != nil || d.Owner != r.Owner {
			return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no key %s of yours", k).Fix("carnet datasets --json names the keys of your datasets")
		}
		if bodies[i], _, err = st.Envelope.DecodeDealing(); err != nil {
			return err
		}
		if err := notRetired(tx, k); err != nil {
			return err
		}
		if _, err := tx.RedealingOf(k); !absent(err) {
			return orElse(err, e.With("dealing", "%s deals a key again already", k))
		}
	}
	again, err := tx.Redealings(r.Dealing)
	if err != nil {
		return err
	}
	used, err := tx.DatasetsUnder(r.Dealing)
	switch {
	case err != nil:
		return err
	case r.Key == r.Dealing || bodies[0].Params != bodies[1].Params:
		return e.With("dealing", "is the same, or of another profile")
	case used || len(again) > 0:
		return e.With("dealing", "%s names datasets, or was itself dealt again", r.Dealing)
	case r.Released < 0 || r.Released > math.MaxInt64/4:
		return e.With("released", "want 0 to 2^61")
	}
	return nil
}

// dealt is the dealing that a key is opened with.
type dealt struct {
	carnet.Dealing
	id        carnet.KeyID
	extra     int64 // numbers opened before, beyond those counted here
	statement Stored
	again     *Stored // the statement that says so, nil if the key is named after it
}

// dealtBefore is the dealing that queries below a sequence number open the key with.
func dealtBefore(tx Tx, key carnet.KeyID, seq int64) (*dealt, error) {
	list, err := tx.Redealings(key)
	if err != nil {
		return nil, err
	}
	d := &dealt{id: key}
	for i := range list {
		if list[i].Statement.Seq < seq {
			d.id, d.extra, d.again = list[i].Dealing, list[i].Extra, &list[i].Statement
		}
	}
	if _, d.statement, err = tx.GetDealing(d.id); err != nil {
		return nil, err
	}
	d.Dealing, _, err = d.statement.Envelope.DecodeDealing()
	return d, err
}

// OpenedWith is the dealing that a query that came now would open a key with. Its committee
// is who judges and answers, whoever the key was dealt to first.
func OpenedWith(tx Tx, key carnet.KeyID) (carnet.Dealing, error) {
	d, err := dealtBefore(tx, key, endOfJournal)
	if err != nil {
		return carnet.Dealing{}, err
	}
	return d.Dealing, nil
}

// endOfJournal is above every sequence number.
const endOfJournal = math.MaxInt64

// isRedealt reports whether a key is opened with another dealing than the one it is named
// after.
func (in *inputs) isRedealt() bool {
	for _, d := range in.dealings {
		if d.again != nil {
			return true
		}
	}
	return false
}

// dealtLike reports whether the keys are opened with the same dealings as those of other.
func (in *inputs) dealtLike(other *inputs) bool {
	for k, d := range in.dealings {
		if o := other.dealings[k]; o == nil || o.id != d.id {
			return false
		}
	}
	return len(in.dealings) == len(other.dealings)
}

// redealt is a charge of a functional over keys, in their order, some of which may be
// opened with another dealing than the one they are named after.
func (in *inputs) redealt(charge carnet.Hash, keys []carnet.KeyID) carnet.Hash {
	if !in.isRedealt() {
		return charge
	}
	var ids []carnet.KeyID
	for _, k := range keys {
		if d := in.dealings[k]; d != nil {
			ids = append(ids, d.id)
		}
	}
	return plan.Redealt(charge, ids)
}
