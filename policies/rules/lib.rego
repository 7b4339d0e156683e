# What rule packs are written with. A pack adds findings to data.carnet.packs.<name>.finding;
# each comes from allow, deny or ruling below, which look up the law in the pack's data and
# speak only while it is in force.
package carnet.lib

import data.packs

now := time.parse_rfc3339_ns(input.now)

# Where the flow takes the data.
destinations contains d if {
	input.flow == "storage"
	d := input.operator.jurisdiction
}

destinations contains d if {
	input.flow == "share"
	some k in input.keyholders
	d := k.jurisdiction
}

destinations contains d if {
	input.flow == "release"
	d := input.buyer.jurisdiction
}

# Where a dataset comes from: its own jurisdiction and those it was collected in.
origins(d) := {d.jurisdiction} | {c | some c in d.declaration.collected}

# A crossing takes one dataset from one jurisdiction to another.
crossings contains {"dataset": d, "from": from, "to": to} if {
	some d in input.datasets
	some from in origins(d)
	some to in destinations
	from != to
}

# The crossings out of each jurisdiction.
crossings_from := {from: out |
	some from in {x.from | some x in crossings}
	out := {x | some x in crossings; x.from == from}
}

# The crossings that a pack judges: out of its jurisdictions, to outside of them.
leaving(pack) := {x |
	places := packs[pack].jurisdictions
	some from, out in crossings_from
	from in places
	some x in out
	not x.to in places
}

# Rules ask this again and again of one dataset; that it is not so is an answer as well.
default has(_, _) := false

has(d, class) if class in d.declaration.classes

# Data of persons, in any of the classes that mean it.
default personal(_) := false

personal(d) if {
	some c in d.declaration.classes
	c in {"personal", "sensitive", "biometric", "genetic", "telecom"}
}

harmless(d) if has(d, "none")

# An instrument of a kind covers a crossing if it is of the law that the data leaves,
# names destination and flow, and is valid now.
instrument(x, kind) if {
	some i in x.dataset.declaration.instruments
	i.kind == kind
	i.jurisdiction == x.from
	covers(i.destinations, x.to)
	covers(i.flows, input.flow)
	time.parse_rfc3339_ns(i.expires) > now
}

covers(l, _) if "*" in l

covers(l, x) if x in l

# The law behind a rule, while it is in force.
law(id) := l if {
	l := packs[split(id, ".")[0]].rules[id]
	time.parse_ns("2006-01-02", l.in_force) <= now
	not ended(l)
}

ended(l) if {
	l.until != ""
	time.parse_ns("2006-01-02", l.until) <= now
}

allow(id, x, message) := finding("allow", id, x, message, "")

deny(id, x, message, remedy) := finding("deny", id, x, message, remedy)

# What is not known is denied, until somebody who may has ruled on it and the owner
# declares the ruling.
ruling(id, x, message) := f if {
	not instrument(x, "legal_ruling")
	f := finding("ruling", id, x, message, ruling_remedy(x))
}

ruling_remedy(x) := sprintf("get a legal ruling under the law of %s and declare it with the dataset (an instrument of kind legal_ruling for %s, flow %s), or leave %s out", [x.from, x.to, input.flow, x.dataset.id])

declare(x, kinds) := sprintf("declare with the dataset, for destination %s and flow %s: %s; or leave %s out", [x.to, input.flow, kinds, x.dataset.id])

finding(effect, id, x, message, remedy) := object.union(cited(id), {
	"effect": effect, "rule": id, "dataset": x.dataset.id, "by": x.dataset.owner.id, "from": x.from, "to": x.to,
	"message": message, "remedy": remedy,
})

# What a finding says of the law behind its rule.
cited(id) := {"law": l.law, "source": l.source, "in_force": l.in_force, "until": l.until, "status": l.status, "confidence": l.confidence} if {
	l := law(id)
}
