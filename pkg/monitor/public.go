package monitor

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// publicFormat names the form of PublicSaved.
const publicFormat = "carnet/monitor-public/1"

// Public follows a log of which only the public part can be read: checkpoints and hashes. It
// finds histories that differ, entries taken back and forged signatures, and judges no
// statement: leaves are hashes of salted statements, so that a key that was replaced is not
// learnt from them, but from a document that has the statement and its proof. It is not safe for concurrent use.
type Public struct {
	m *Monitor
}

// PublicSaved is what a Public keeps between runs.
type PublicSaved struct {
	Format     string                     `json:"format"`
	Origin     string                     `json:"origin"`
	Checkpoint *evidence.SignedCheckpoint `json:"checkpoint"`
	Findings   []Finding                  `json:"findings"`
	Digest     carnet.Hash                `json:"digest"`
}

// NewPublic begins with nothing seen. known are entries of the log that were verified, such as
// those of documents, ascending: they say whose keys and which committees to expect. Without them
// signatures are not judged.
func NewPublic(o Options, known []*evidence.Entry) (*Public, error) {
	p := &Public{New(o)}
	for _, e := range known {
		ev, err := p.m.state.Apply(e.Seq, e.Envelope)
		if err != nil {
			return nil, err
		}
		p.m.keep(e, ev)
	}
	return p, nil
}

// Newest is the newest checkpoint that was seen, nil if there is none.
func (p *Public) Newest() *evidence.SignedCheckpoint { return p.m.newest }

// Splits proves the histories that differed.
func (p *Public) Splits() []*evidence.Split { return p.m.Splits() }

// Noted takes in a checkpoint that a source shows, with the root that its log had at the size
// of Newest and the proof of that. Root and path do not count as long as there is no Newest.
func (p *Public) Noted(cp *evidence.SignedCheckpoint, root carnet.Hash, path []carnet.Hash, source string) (out []Finding) {
	m := p.m
	if want := evidence.Origin(m.Registrar); cp.Origin != want {
		return []Finding{from(source, breach(Genuine, "WRONG_LOG", -1, "", "the checkpoint is of the log %q, want %q", cp.Origin, want))}
	}
	out = append(out, m.Served(cp.Size, source)...)
	if m.newest != nil && cp.Size >= m.newest.Size {
		out = append(out, m.Ahead(cp, path, root, source)...)
	}
	if committees := m.state.Committees(); len(committees) > 0 {
		for _, f := range m.genuine(&view{cp, source}) {
			f.Weight = Suspect
			f.Message += ", as far as is known here: if a key was replaced since, a newer document of the log says so"
			out = append(out, f)
		}
		few := m.unsigned(cp, committees, source)
		if len(out) == 0 {
			m.followed(cp) // also without a quorum: what comes next has to go on from it
		}
		return append(out, few...)
	}
	if len(out) == 0 {
		m.followed(cp)
	}
	return out
}

// Cosigned lists, ascending, the committees that are known of which a quorum co-signed the
// newest checkpoint.
func (p *Public) Cosigned() (out []carnet.CommitteeID) {
	if p.m.newest != nil {
		out = p.m.quorums(p.m.newest, p.m.state.Committees())
	}
	return out
}

func (m *Monitor) quorums(cp *evidence.SignedCheckpoint, committees []*history.Committee) (out []carnet.CommitteeID) {
	for _, c := range committees {
		if len(m.signers(c.Body.Members, cp)) >= c.Body.Quorum {
			out = append(out, c.Body.ID)
		}
	}
	slices.Sort(out)
	return out
}

// unsigned finds a checkpoint that no quorum co-signed: it may be too new for that, or by
// keyholders that are not known here.
func (m *Monitor) unsigned(cp *evidence.SignedCheckpoint, committees []*history.Committee, source string) []Finding {
	if len(m.quorums(cp, committees)) > 0 {
		return nil
	}
	f := breach(Cosigned, "NO_QUORUM", -1, "", "no quorum of a committee that is known here co-signed the state that the log shows to the public")
	f.Weight = Suspect
	return []Finding{from(source, f)}
}

// Save returns what to keep; the caller sets the findings.
func (p *Public) Save() *PublicSaved {
	return &PublicSaved{Format: publicFormat, Origin: evidence.Origin(p.m.Registrar), Checkpoint: p.m.newest, Findings: []Finding{}}
}

// Resume goes on from what was saved; source is where the log is read.
func (p *Public) Resume(s *PublicSaved, source string) error {
	if s.Format != publicFormat || s.Origin != evidence.Origin(p.m.Registrar) {
		return carnet.E(carnet.Precondition, "OTHER_LOG", "the saved state is of another log, or of another version of this program").
			Fix("use another file for this log")
	}
	if p.m.newest = s.Checkpoint; s.Checkpoint != nil {
		p.m.largest[source] = s.Checkpoint.Size
	}
	return nil
}

// Encode writes the saved state as JSON.
func (s *PublicSaved) Encode() ([]byte, error) { return encode(s, &s.Digest) }

// ReadPublic reads what Encode wrote, and refuses what was changed since.
func ReadPublic(data []byte) (*PublicSaved, error) {
	s := &PublicSaved{}
	return s, decode(data, s, &s.Digest)
}
