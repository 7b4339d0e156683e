# Kazakhstan: personal data has its database at home; whether it may also be abroad is for
# a lawyer to say.
package carnet.packs.kz

import data.carnet.lib

leaving := lib.leaving("kz")

finding contains lib.ruling("kz.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("kz.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
}

finding contains lib.deny("kz.localisation", x, "personal data is to be kept abroad, and a database in Kazakhstan is not declared", lib.declare(x, "where the database in Kazakhstan is (instrument primary_database)")) if {
	some x in leaving
	input.flow == "storage"
	lib.personal(x.dataset)
	not lib.instrument(x, "primary_database")
}

finding contains lib.ruling("kz.digital-code", x, "sources contradict each other on personal data that leaves Kazakhstan") if {
	some x in leaving
	lib.personal(x.dataset)
}
