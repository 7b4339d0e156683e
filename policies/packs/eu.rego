# EU and EEA: an adequacy decision, or safeguards together with an assessment.
package carnet.packs.eu

import data.carnet.lib
import data.packs.eu as pack

leaving := lib.leaving("eu")

finding contains lib.ruling("eu.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("eu.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
}

finding contains lib.allow("eu.adequate", x, sprintf("%s has an adequacy decision", [x.to])) if {
	some x in leaving
	lib.personal(x.dataset)
	x.to in pack.adequate
}

safeguarded(x) if {
	some k in ["standard_contract", "binding_rules"]
	lib.instrument(x, k)
}

finding contains lib.deny("eu.safeguards", x, sprintf("personal data goes to %s, which has no adequacy decision, without safeguards", [x.to]), lib.declare(x, "standard contractual clauses (instrument standard_contract) or binding corporate rules (instrument binding_rules)")) if {
	some x in leaving
	lib.personal(x.dataset)
	not x.to in pack.adequate
	not safeguarded(x)
}

finding contains lib.deny("eu.assessment", x, sprintf("no assessment of the transfer to %s is declared", [x.to]), lib.declare(x, "the assessment of the transfer (instrument transfer_assessment)")) if {
	some x in leaving
	lib.personal(x.dataset)
	not x.to in pack.adequate
	not lib.instrument(x, "transfer_assessment")
}

finding contains lib.allow("eu.safeguards", x, "safeguards and an assessment of the transfer are declared") if {
	some x in leaving
	lib.personal(x.dataset)
	not x.to in pack.adequate
	safeguarded(x)
	lib.instrument(x, "transfer_assessment")
}
