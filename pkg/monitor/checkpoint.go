package monitor

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// maxAhead bounds how many checkpoints beyond the entries taken in are kept.
const maxAhead = 1024

// view is what was heard of the log's state at one size.
type view struct {
	checkpoint *evidence.SignedCheckpoint
	source     string
}

// Noted takes in a checkpoint that a source showed. What it says of a size that is not
// reached yet is compared when it is.
func (m *Monitor) Noted(cp *evidence.SignedCheckpoint, source string) (out []Finding) {
	if want := evidence.Origin(m.Registrar); cp.Origin != want {
		return []Finding{from(source, breach(Genuine, "WRONG_LOG", -1, "", "the checkpoint is of the log %q, want %q", cp.Origin, want))}
	}
	if cp.Size > m.Size() {
		if old := m.seen[cp.Size]; old != nil && old.checkpoint.Head != cp.Head {
			out = append(out, m.split(old, &view{cp, source}))
		}
		if len(m.seen) < maxAhead {
			m.seen[cp.Size] = newest(m.seen[cp.Size], &view{cp, source})
		}
		return out
	}
	return m.compare(&view{cp, source})
}

// newest keeps the one of two views of a state that has more signatures.
func newest(old, v *view) *view {
	if old != nil && old.checkpoint.Head == v.checkpoint.Head && len(old.checkpoint.Signatures) > len(v.checkpoint.Signatures) {
		return old
	}
	return v
}

// Served takes in how large a source says that its log is, so that it is noticed if it
// becomes smaller.
func (m *Monitor) Served(size int64, source string) (out []Finding) {
	if size < m.largest[source] {
		out = append(out, from(source, breach(Grows, "JOURNAL_SHORTER", -1, "", "the log had %d entries there before, now it has %d: entries were taken back", m.largest[source], size)))
	}
	m.largest[source] = max(size, m.largest[source])
	return out
}

// reached judges what was heard of the size that the log has now.
func (m *Monitor) reached() []Finding {
	v := m.seen[m.Size()]
	if v == nil {
		return nil
	}
	delete(m.seen, m.Size())
	return m.compare(v)
}

// compare judges a checkpoint within the entries taken in.
func (m *Monitor) compare(v *view) (out []Finding) {
	cp := v.checkpoint
	if own := m.rootAt(cp.Size); own != cp.Head {
		m.contradicted(v)
		mine := &view{&evidence.SignedCheckpoint{Origin: cp.Origin, Checkpoint: carnet.Checkpoint{Size: cp.Size, Head: own}}, "the entries followed"}
		return append(out, m.split(mine, v))
	}
	if m.state.SignsLog(cp) {
		m.followed(cp)
	}
	out = append(out, m.genuine(v)...)
	for _, c := range m.state.Committees() {
		if n := len(m.signers(c.Body.Members, cp)); n >= c.Body.Quorum {
			m.quorum[c.Hash] = max(m.quorum[c.Hash], cp.Size)
		}
	}
	return out
}

// rootAt is the root that the log had at a size.
func (m *Monitor) rootAt(size int64) carnet.Hash {
	if size < 1 {
		return (&evidence.Tree{}).Root()
	}
	return m.roots[size-1]
}

// split says that two histories were shown, and who signed what.
func (m *Monitor) split(a, b *view) Finding {
	f := breach(OneHistory, "SPLIT_VIEW", -1, "", "at size %d %s has root %s and %s has %s", a.checkpoint.Size, a.source, a.checkpoint.Head, b.source, b.checkpoint.Head)
	if by := m.all(b.checkpoint); len(by) > 0 {
		f.Message += "; the latter is co-signed by " + names(by)
	}
	if id := m.both(a.checkpoint, b.checkpoint); id != "" {
		f.By = id
		f.Message += "; " + string(id) + " signed both"
	}
	return from(b.source, f)
}

// both is a keyholder that signed two checkpoints, empty if there is none.
func (m *Monitor) both(a, b *evidence.SignedCheckpoint) (by carnet.PartyID) {
	signed := m.all(b)
	for _, id := range m.all(a) {
		if slices.Contains(signed, id) {
			by = id
		}
	}
	return by
}

// genuine checks the signatures of a checkpoint of this log, as far as their signers are
// known: a keyholder's name under what it has not signed is a forgery.
func (m *Monitor) genuine(v *view) (out []Finding) {
	cp := v.checkpoint
	if !m.state.SignsLog(cp) {
		out = append(out, from(v.source, breach(Genuine, "BAD_SIGNATURE", -1, "", "the checkpoint of size %d is not signed by the log", cp.Size)))
	}
	for _, s := range cp.Signatures {
		for _, id := range m.keyholders() {
			if s.Name != evidence.WitnessName(cp.Origin, id) {
				continue
			}
			if len(m.signers([]carnet.PartyID{id}, cp)) == 0 {
				out = append(out, from(v.source, breach(Genuine, "BAD_COSIGNATURE", -1, id, "the checkpoint of size %d bears the name of %s, which has not signed it", cp.Size, id)))
			}
		}
	}
	return out
}

// keyholders are the members of all committees.
func (m *Monitor) keyholders() []carnet.PartyID {
	all := map[carnet.PartyID]bool{}
	for _, c := range m.state.Committees() {
		for _, id := range c.Body.Members {
			all[id] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// all lists the keyholders that co-signed, each with the key that was in force at the size.
func (m *Monitor) all(cp *evidence.SignedCheckpoint) []carnet.PartyID {
	return m.signers(m.keyholders(), cp)
}

func (m *Monitor) signers(ids []carnet.PartyID, cp *evidence.SignedCheckpoint) (out []carnet.PartyID) {
	for _, id := range ids {
		if m.state.Cosigned(id, cp) {
			out = append(out, id)
		}
	}
	return out
}

// Settle is called when everything that a source has was taken in: queries that were
// answered have to be in a state that a quorum co-signed, since keyholders answer only
// then.
func (m *Monitor) Settle() (out []Finding) {
	for h := range m.waiting {
		c := m.state.Case(h)
		if c == nil {
			continue
		}
		if m.quorum[c.Committee.Hash] > c.Seq {
			delete(m.waiting, h)
			continue
		}
		out = append(out, breach(Cosigned, "NO_QUORUM", c.Seq, "", "the query was answered, and no state of the log that has it was co-signed by %d keyholders of committee %s",
			c.Committee.Body.Quorum, c.Committee.Body.ID))
	}
	slices.SortFunc(out, func(a, b Finding) int { return cmp.Compare(a.Entry, b.Entry) })
	return out
}

func from(source string, f Finding) Finding {
	f.Source = source
	return f
}

func names(ids []carnet.PartyID) string {
	s := ""
	for i, id := range ids {
		if i > 0 {
			s += ", "
		}
		s += string(id)
	}
	return s
}
