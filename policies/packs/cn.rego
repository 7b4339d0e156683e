# China: what is needed follows from kind of data, exporter and the volume since 1 January.
package carnet.packs.cn

import data.carnet.lib
import data.packs.cn as pack

leaving := lib.leaving("cn")

finding contains lib.ruling("cn.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("cn.no-personal-no-important", x, "the data is declared to be neither personal nor important") if {
	some x in leaving
	lib.harmless(x.dataset)
}

# Important data needs an assessment whatever else may be said about it.
finding contains lib.deny("cn.important", x, "the data is declared as important", lib.declare(x, "a security assessment (instrument security_assessment)")) if {
	some x in leaving
	lib.has(x.dataset, "important")
	not lib.instrument(x, "security_assessment")
}

finding contains lib.allow("cn.important", x, "a security assessment is declared for important data") if {
	some x in leaving
	lib.has(x.dataset, "important")
	lib.instrument(x, "security_assessment")
}

# Personal data that the exemptions do not cover.
judged contains x if {
	some x in leaving
	lib.personal(x.dataset)
	not exempt(x)
}

finding contains lib.deny("cn.critical-operator", x, sprintf("%s is declared to be an operator of critical information infrastructure", [x.dataset.owner.id]), lib.declare(x, "a security assessment (instrument security_assessment)")) if {
	some x in judged
	critical(x)
	not lib.instrument(x, "security_assessment")
}

finding contains lib.deny("cn.large-volume", x, sprintf("%s exports data of %d persons since 1 January, %d of them sensitive", [x.dataset.owner.id, persons(x), sensitive(x)]), lib.declare(x, "a security assessment (instrument security_assessment)")) if {
	some x in judged
	large(x)
	not critical(x)
	not lib.instrument(x, "security_assessment")
}

finding contains lib.allow("cn.large-volume", x, "a security assessment is declared") if {
	some x in judged
	lib.instrument(x, "security_assessment")
}

finding contains lib.deny("cn.middle-volume", x, sprintf("%s exports data of %d persons since 1 January, %d of them sensitive", [x.dataset.owner.id, persons(x), sensitive(x)]), lib.declare(x, "a filed standard contract (instrument standard_contract) or a certificate (instrument certification)")) if {
	some x in judged
	middle(x)
	not permitted(x)
}

finding contains lib.allow("cn.middle-volume", x, "a filed standard contract is declared") if {
	some x in judged
	middle(x)
	lib.instrument(x, "standard_contract")
}

finding contains lib.allow("cn.certification", x, "a certificate is declared") if {
	some x in judged
	middle(x)
	lib.instrument(x, "certification")
}

finding contains lib.allow("cn.small-volume", x, sprintf("%s exports data of %d persons since 1 January, none of them sensitive", [x.dataset.owner.id, persons(x)])) if {
	some x in judged
	not critical(x)
	persons(x) < pack.contract_persons
	sensitive(x) == 0
}

# Exemptions of personal data. None holds for important data.
finding contains lib.allow("cn.processed-for-abroad", x, "the data was collected abroad and nothing domestic was added") if {
	some x in leaving
	for_abroad(x)
}

finding contains lib.allow("cn.free-trade-zone", x, "the owner declares that its zone's negative list does not name the data") if {
	some x in leaving
	outside_list(x)
}

finding contains lib.allow("cn.necessity", x, "the owner declares a ruling that the export is necessary for a contract, human resources or an emergency") if {
	some x in leaving
	necessary(x)
}

exempt(x) if for_abroad(x)

exempt(x) if outside_list(x)

exempt(x) if necessary(x)

for_abroad(x) if {
	lib.personal(x.dataset)
	not lib.has(x.dataset, "important")
	count(x.dataset.declaration.collected) > 0
	not x.from in x.dataset.declaration.collected
	not x.dataset.declaration.domestic_added
}

outside_list(x) if {
	lib.personal(x.dataset)
	not lib.has(x.dataset, "important")
	"ftz" in x.dataset.declaration.exporter
	lib.instrument(x, "ftz_negative_list")
}

necessary(x) if {
	lib.personal(x.dataset)
	not lib.has(x.dataset, "important")
	lib.instrument(x, "necessity_ruling")
}

critical(x) if "ciio" in x.dataset.declaration.exporter

large(x) if persons(x) >= pack.assessment_persons

large(x) if sensitive(x) >= pack.assessment_sensitive

middle(x) if {
	not critical(x)
	not large(x)
	needs_contract(x)
}

needs_contract(x) if persons(x) >= pack.contract_persons

needs_contract(x) if sensitive(x) > 0

permitted(x) if lib.instrument(x, "security_assessment")

permitted(x) if lib.instrument(x, "standard_contract")

permitted(x) if {
	lib.law("cn.certification")
	lib.instrument(x, "certification")
}

# Volumes count over all that the owner published since 1 January: one dataset is not
# split into two. The dataset at hand counts if the journal does not have it yet.
persons(x) := sum([e.persons | some e in counted(x)]) + unpublished(x, x.dataset.declaration.persons)

sensitive(x) := sum([e.sensitive_persons | some e in counted(x)]) + unpublished(x, x.dataset.declaration.sensitive_persons)

counted(x) := [e |
	some e in input.exports
	e.owner == x.dataset.owner.id
	time.parse_rfc3339_ns(e.at) >= year_start
]

unpublished(x, n) := 0 if {
	published(x)
	n >= 0
}

unpublished(x, n) := n if not published(x)

published(x) if {
	some e in counted(x)
	e.dataset == x.dataset.id
}

year_start := time.parse_rfc3339_ns(sprintf("%d-01-01T00:00:00%s", [time.date([lib.now, "Asia/Shanghai"])[0], pack.year_starts_at]))
