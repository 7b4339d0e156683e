# India: open unless restricted, payment data stays, sector rules are for a lawyer.
package carnet.packs["in"]

import data.carnet.lib

pack := data.packs["in"]

leaving := lib.leaving("in")

finding contains lib.ruling("in.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("in.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
}

finding contains lib.deny("in.payment", x, "payment data is to be kept abroad", sprintf("use a gateway in India, or publish %s without payment data", [x.dataset.id])) if {
	some x in leaving
	input.flow == "storage"
	lib.has(x.dataset, "payment")
}

sector(d) if {
	some c in ["biometric", "genetic", "telecom"]
	lib.has(d, c)
}

finding contains lib.ruling("in.sector", x, "the data is of a class that rules of a sector may keep in India") if {
	some x in leaving
	sector(x.dataset)
}

finding contains lib.deny("in.restricted", x, sprintf("the government restricts transfers to %s", [x.to]), sprintf("ask from elsewhere, or leave %s out", [x.dataset.id])) if {
	some x in leaving
	lib.personal(x.dataset)
	x.to in pack.restricted
}

finding contains lib.ruling("in.significant-fiduciary", x, sprintf("%s is declared to be a significant data fiduciary, which may have been told to keep this data in India", [x.dataset.owner.id])) if {
	some x in leaving
	lib.personal(x.dataset)
	"sdf" in x.dataset.declaration.exporter
}

finding contains lib.allow("in.not-restricted", x, sprintf("the government does not restrict transfers to %s", [x.to])) if {
	some x in leaving
	lib.personal(x.dataset)
	not x.to in pack.restricted
}
