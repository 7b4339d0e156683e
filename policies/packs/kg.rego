# Kyrgyzstan: what is personal is for a lawyer.
package carnet.packs.kg

import data.carnet.lib

leaving := lib.leaving("kg")

finding contains lib.ruling("kg.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("kg.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
}

finding contains lib.ruling("kg.personal", x, "the conditions for personal data that leaves Kyrgyzstan were not read in the present law") if {
	some x in leaving
	lib.personal(x.dataset)
}
