# Pakistan: no general act is in force; what is personal is for a lawyer.
package carnet.packs.pk

import data.carnet.lib
import data.packs.pk as pack

leaving := lib.leaving("pk")

finding contains lib.ruling("pk.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("pk.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
	not x.to in pack.restricted
}

finding contains lib.deny("pk.telecom", x, "telecom subscribers' data leaves Pakistan", sprintf("publish %s without telecom data, or use a gateway and keyholders in Pakistan", [x.dataset.id])) if {
	some x in leaving
	lib.has(x.dataset, "telecom")
}

finding contains lib.ruling("pk.restricted", x, sprintf("transfers to %s are said to be restricted", [x.to])) if {
	some x in leaving
	x.to in pack.restricted
}

finding contains lib.ruling("pk.personal", x, "a bill on personal data was pending when this was written") if {
	some x in leaving
	lib.personal(x.dataset)
}
