package verify

import (
	"errors"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Identifiers of the checks, in their order. They are stable.
const (
	CheckForm        = "form"
	CheckInclusion   = "inclusion"
	CheckSignatures  = "signatures"
	CheckCosigned    = "cosignatures"
	CheckConsistency = "consistency"
	CheckPlan        = "plan"
	CheckCertificate = "certificate"
	CheckTerms       = "terms"
	CheckPolicy      = "policy"
	CheckPrivate     = "private"
	CheckDecisions   = "decisions"
	CheckAnswers     = "answers"
	CheckReleases    = "releases"
	CheckBudget      = "budget"
	CheckWhole       = "log"
	CheckEnded       = "withdrawals"
	CheckCiphertext  = "ciphertext"
	CheckRecompute   = "recompute"
)

// claim is what is checked, and what it means that it holds.
type claim struct{ id, title, meaning string }

// claims are those about a query.
var claims = []claim{
	{CheckForm, "The file is a complete evidence bundle in its one form",
		"Nothing was added to the file or cut off, and every program reads it alike."},
	{CheckInclusion, "Every statement is an entry of the log",
		"The statements are those that the gateway published, at these places, and none of them can be taken back without being noticed."},
	{CheckSignatures, "Every statement is signed by whom it commits, in the role that may",
		"Parties and committees are those that the registrar admitted; owners, buyer, keyholders and gateway made the statements in their names; statements are in an order in which they could take effect."},
	{CheckCosigned, "A quorum of the keyholders co-signed the log with these entries",
		"Two quorums share more keyholders than may be dishonest, so no other history of these entries was shown to the committee."},
	{CheckConsistency, "The log is the one that was seen before",
		"The log begins with every state given: nothing before it was changed or removed since."},
	{CheckPlan, "What was computed is what the buyer asked",
		"Compiled anew from the text of the query and the owners' signed manifests, the plan is the one that the buyer signed; it reads the product's data as it was then, and nothing else."},
	{CheckCertificate, "The answer is exact and reveals nothing but itself",
		"Worst-case bounds, computed anew in whole numbers: results can't wrap around, and the noise that keyholders add hides what they hold."},
	{CheckTerms, "The owners' terms allowed it when it was asked and answered",
		"Who asked, from where, for which purpose, with which aggregates, groups and filters, over how many owners, and until when: every condition that an owner signed was kept."},
	{CheckPolicy, "Decisions by rules are those that the rules make",
		"Repeated from the bytes of the input and of the policy bundle, every logged decision comes out as it was signed."},
	{CheckPrivate, "The private parameter was checked before anybody answered",
		"Enough keyholders published a check, and the checks agree that exactly one permitted selection was shared."},
	{CheckDecisions, "Nobody answered what was refused, or not approved",
		"No keyholder answered a query that it, the gateway or an owner refused, or that an owner had to approve and had not."},
	{CheckAnswers, "The keyholders answered this question and no other",
		"Every answer is from a member of the committee, in time, for exactly the numbers of the plan; the functionals they name were computed anew."},
	{CheckReleases, "The numbers opened are within what each key may open",
		"The query opens no more numbers under a key than the scheme allows in all."},
	{CheckBudget, "The datasets' privacy budgets could pay for it",
		"Charged in the order of the log, for numbers that no query before had released, the query costs no dataset more than was left."},
	{CheckWhole, "All queries together stay within what keys may open, budgets can pay and owners' numbers tell",
		"The whole log was read: its entries are those of the bundle's log, and what every buyer asked before is counted, and what it tells about few owners."},
	{CheckEnded, "No dataset had been withdrawn",
		"No owner had revoked a dataset of the query, or retired its key, when it was asked and answered."},
	{CheckCiphertext, "The encrypted data is what the owners signed",
		"The hashes of all pieces of every file lead to the root in the owner's manifest."},
	{CheckRecompute, "The gateway and the keyholders computed correctly",
		"Executed anew from the ciphertext, the functionals and the public half of the answer are, bit for bit, those that keyholders signed."},
}

// Checks lists the identifiers of all checks in their order.
func Checks() (out []string) {
	for _, c := range claims {
		out = append(out, c.id)
	}
	return out
}

func newChecks(claims []claim) (list []*Check, byID map[string]*Check) {
	byID = map[string]*Check{}
	for _, c := range claims {
		x := &Check{ID: c.id, Title: c.title, Meaning: c.meaning, Status: NotChecked, Found: []string{}}
		list, byID[c.id] = append(list, x), x
	}
	return list, byID
}

// found adds a fact.
func (c *Check) found(format string, args ...any) {
	c.Found = append(c.Found, fmt.Sprintf(format, args...))
}

// fault notes what is wrong with a part.
func (c *Check) fault(part, reason, format string, args ...any) {
	c.Faults = append(c.Faults, Fault{part, reason, fmt.Sprintf(format, args...)})
	c.Status = Failed
}

// failed notes an error about a part.
func (c *Check) failed(part string, err error) {
	var e *carnet.Error
	reason, msg := "INTERNAL", err.Error()
	if errors.As(err, &e) && e.Reason != "" {
		reason = e.Reason
	}
	c.fault(part, reason, "%s", msg)
}

// missed notes why what the check needs could not be had, which says nothing against the file: who
// serves it is away or does not let this party read it, or a copy is not whole. Any other error is
// a fault.
func (c *Check) missed(part string, err error) {
	switch kind := carnet.KindOf(err); {
	case kind == carnet.Unavailable, kind == carnet.Exhausted, kind == carnet.Canceled, kind == carnet.NotFound,
		kind == carnet.Forbidden && carnet.ReasonOf(err) == "WRONG_ROLE":
		c.skip("the encrypted data can't be read: %v", err)
	default:
		c.failed(part, err)
	}
}

// skip says why a check was not made.
func (c *Check) skip(format string, args ...any) {
	if c.Status != Failed {
		c.Status, c.Why = NotChecked, fmt.Sprintf(format, args...)
	}
}

// idle says that there is nothing to check.
func (c *Check) idle(format string, args ...any) {
	if c.Status != Failed {
		c.Status, c.Why = NotNeeded, fmt.Sprintf(format, args...)
	}
}

// done marks a check as passed unless something failed.
func (c *Check) done() {
	if c.Status != Failed {
		c.Status, c.Why = Passed, ""
	}
}
