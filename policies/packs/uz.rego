# Uzbekistan: until March 2026 everything personal stayed, since then three classes do.
package carnet.packs.uz

import data.carnet.lib

leaving := lib.leaving("uz")

finding contains lib.ruling("uz.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("uz.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
}

finding contains lib.deny("uz.localisation-2021", x, "personal data is to be kept abroad", sprintf("use a gateway in Uzbekistan, or wait until the law of 2026 is in force, or leave %s out", [x.dataset.id])) if {
	some x in leaving
	input.flow == "storage"
	lib.personal(x.dataset)
}

local(d) if {
	some c in ["biometric", "genetic", "telecom"]
	lib.has(d, c)
}

finding contains lib.deny("uz.local-classes", x, "biometric, genetic or telecom subscribers' data is to be kept abroad", sprintf("use a gateway in Uzbekistan, or publish %s without these classes", [x.dataset.id])) if {
	some x in leaving
	input.flow == "storage"
	local(x.dataset)
}

approved(x) if {
	some k in ["standard_contract", "binding_rules", "approved_standard"]
	lib.instrument(x, k)
}

finding contains lib.allow("uz.conditions", x, "an approved instrument is declared") if {
	some x in leaving
	lib.personal(x.dataset)
	approved(x)
}

finding contains lib.ruling("uz.conditions", x, "personal data leaves without an approved instrument, and which states are adequate is not known here") if {
	some x in leaving
	lib.personal(x.dataset)
	not approved(x)
}
