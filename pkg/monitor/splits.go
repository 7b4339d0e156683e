package monitor

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// maxConflicts bounds how many contradicting checkpoints are kept.
const maxConflicts = 64

// contradicted keeps a checkpoint that is not of the log that is followed.
func (m *Monitor) contradicted(v *view) {
	for _, o := range m.conflicts {
		if o.checkpoint.Checkpoint == v.checkpoint.Checkpoint {
			return
		}
	}
	if len(m.conflicts) < maxConflicts {
		m.conflicts = append(m.conflicts, v)
	}
}

// followed keeps the newest signed checkpoint of the log that is followed.
func (m *Monitor) followed(cp *evidence.SignedCheckpoint) {
	if m.newest == nil || cp.Size > m.newest.Size || cp.Size == m.newest.Size && len(cp.Signatures) > len(m.newest.Signatures) {
		m.newest = cp
	}
}

// Newest is the newest signed checkpoint of the log that is followed, nil if none was noted.
func (m *Monitor) Newest() *evidence.SignedCheckpoint { return m.newest }

// Splits proves the contradictions between signed checkpoints that were noted so far, to
// anybody who knows the signers' keys.
func (m *Monitor) Splits() (out []*evidence.Split) {
	out = append(out, m.proved...)
	for _, v := range m.conflicts {
		x := v.checkpoint
		if m.newest == nil || !m.state.SignsLog(x) && len(m.all(x)) == 0 {
			continue // anybody could have made it
		}
		if s := m.prove(x); s != nil && s.Verify() == nil {
			out = append(out, s)
		}
	}
	for _, s := range out {
		s.Parties = m.signerStatements()
	}
	return out
}

// signerStatements are the party statements of operators and keyholders.
func (m *Monitor) signerStatements() []*evidence.Envelope {
	out := []*evidence.Envelope{}
	for _, k := range m.kept {
		var p carnet.Party
		if k.Statement.PayloadType == carnet.TypeParty && k.Statement.Decode(carnet.TypeParty, &p) == nil && (p.HasRole(carnet.RoleOperator) || p.HasRole(carnet.RoleKeyholder)) {
			out = append(out, k.Statement)
		}
	}
	return out
}

// prove makes the proof for a checkpoint within the entries taken in.
func (m *Monitor) prove(x *evidence.SignedCheckpoint) *evidence.Split {
	s := &evidence.Split{Format: evidence.SplitFormat, Older: x, Newer: m.newest, Root: m.newest.Head, Path: []carnet.Hash{}}
	if x.Size == m.newest.Size {
		return s
	}
	if x.Size < 1 || x.Size > m.newest.Size || m.newest.Size > m.Size() {
		return nil
	}
	s.Root = m.rootAt(x.Size)
	var err error
	if s.Path, err = evidence.ProveConsistency(m.leaves[:m.newest.Size], x.Size); err != nil {
		return nil
	}
	return s
}

// Ahead takes in a checkpoint beyond the entries taken in, with the proof that a source
// gives that its log begins with Newest, or the root that its log had at that size: zero if
// that is not known. A source that can't prove it shows another log.
func (m *Monitor) Ahead(cp *evidence.SignedCheckpoint, path []carnet.Hash, root carnet.Hash, source string) []Finding {
	if m.newest == nil || cp.Size < m.newest.Size || cp.Origin != m.newest.Origin || evidence.VerifyConsistency(m.newest.Checkpoint, cp.Checkpoint, path) == nil {
		return nil
	}
	switch {
	case cp.Size == m.newest.Size:
		root, path = cp.Head, nil
	case root.IsZero():
		root, _ = evidence.RootBefore(m.newest.Size, cp.Checkpoint, path)
	}
	s := &evidence.Split{Format: evidence.SplitFormat, Older: m.newest, Newer: cp, Root: root, Path: path}
	if s.Verify() != nil {
		return []Finding{{Invariant: OneHistory, Weight: Suspect, Reason: "NO_CONSISTENCY", Entry: -1, Source: source,
			Message: fmt.Sprintf("%s does not prove that its log of size %d begins with the one of size %d that was followed", source, cp.Size, m.newest.Size)}}
	}
	f := from(source, breach(OneHistory, "SPLIT_VIEW", -1, "", "the log of size %d that %s shows had root %s at size %d, and the one that was followed has %s", cp.Size, source, root, m.newest.Size, m.newest.Head))
	if len(m.proved) < maxConflicts && (m.state.SignsLog(cp) || len(m.all(cp)) > 0) {
		m.proved = append(m.proved, s)
	}
	if both := m.both(m.newest, cp); both != "" {
		f.By = both
		f.Message += "; " + string(both) + " signed both"
	}
	return []Finding{f}
}
