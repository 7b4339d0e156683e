package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/policy"
)

// What a rule says of several borders is told once, with a remedy for each if they differ;
// what differs otherwise is not.
func TestFindingsAreToldOnce(t *testing.T) {
	deny := policy.Finding{
		Effect: policy.EffectDeny, Rule: "cn.volume", Dataset: "cn/trade", By: "cn", From: "CN", To: "CH",
		Message: "data of 250000 persons", Remedy: "file for CH", Law: "Provisions, Art. 8", Source: "https://example.org",
		InForce: "2024-03-22", Status: "in_force", Confidence: "medium",
	}
	with := func(change func(*policy.Finding)) policy.Finding {
		f := deny
		change(&f)
		return f
	}
	r := &Ruled{Flow: policy.FlowShare, Name: "carnet", Version: 1, Decision: policy.Decision{Findings: []policy.Finding{
		deny,
		with(func(f *policy.Finding) { f.To, f.Remedy = "KZ", "file for KZ" }),
		with(func(f *policy.Finding) { f.Dataset = "cn/other" }),
		with(func(f *policy.Finding) { f.To = "UZ" }),
		{Effect: policy.EffectAllow, Rule: "kz.no-personal", Dataset: "kz/trade", From: "KZ", To: "CN", Message: "not personal"},
		{Effect: policy.EffectAllow, Rule: "terms.purpose", Dataset: "kz/trade", From: "KZ", Message: "statistics"},
	}}}
	var b strings.Builder
	Text(&b, []Assessed{{Title: "the dataset", Rules: []*Ruled{r}}})
	require.Equal(t, `the dataset: would be refused
  share, by carnet version 1: refused
    deny   cn.volume (CN to CH, KZ, UZ): data of 250000 persons
           Provisions, Art. 8
           since 2024-03-22, confidence medium, https://example.org
           remedy: file for CH
           remedy: file for KZ
    deny   cn.volume (CN to CH): data of 250000 persons
           Provisions, Art. 8
           since 2024-03-22, confidence medium, https://example.org
           remedy: file for CH
    allow  kz.no-personal (KZ to CN): not personal
    allow  terms.purpose (KZ): statistics
`, b.String())
	var page strings.Builder
	require.NoError(t, Page(&page, "Publication", []Assessed{{Title: "the dataset", Rules: []*Ruled{r}}}))
	require.Contains(t, page.String(), "<td>CN to CH, KZ, UZ</td>")
	require.Equal(t, 1, strings.Count(page.String(), "Remedy: file for KZ"))
}
