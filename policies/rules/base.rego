# The base: a flow passes if nothing forbids it and, for every border that it crosses, a
# rule of the jurisdiction that the data leaves allows it. Nothing else passes.
package carnet

import data.carnet.lib
import data.config
import data.packs

# The decision. Its form is checked by whoever evaluates it.
decision := {
	"allow": allow,
	"findings": findings,
	"obligations": obligations,
}

default allow := false

# Every dataset needs a rule that allows it, so that a rule that does not speak, for
# whatever reason, allows nothing.
allow if {
	count(blocking) == 0
	count(input.datasets) > 0
	count(without_basis) == 0
}

without_basis := ids - allowed

ids := {d.id | some d in input.datasets}

allowed := {f.dataset | some f in findings; f.effect == "allow"}

blocking := {f | some f in findings; f.effect in {"deny", "ruling"}}

findings := pack_findings | data.carnet.terms.finding | base_findings

pack_findings := {f | some name in config.packs; some f in data.carnet.packs[name].finding}

# Nothing crosses a border.
base_findings contains lib.allow("base.domestic", place(d), sprintf("the flow stays in %s", [d.jurisdiction])) if {
	not "" in lib.destinations
	count(ids - leaving) > 0
	some d in input.datasets
	not d.id in leaving
	d.jurisdiction != ""
}

leaving := {x.dataset.id | some x in lib.crossings}

# The registrar does not say where somebody is.
base_findings contains lib.deny("base.unknown-place", place(d), "the jurisdiction of a party to this flow is not known", "have the registrar register its jurisdiction") if {
	"" in lib.destinations | all_origins
	some d in input.datasets
	"" in lib.destinations | lib.origins(d)
}

all_origins := {from | some d in input.datasets; some from in lib.origins(d)}

# The jurisdiction that the data leaves has no pack.
base_findings contains lib.ruling("base.no-pack", x, sprintf("there are no rules for data that leaves %s", [x.from])) if {
	some from, out in lib.crossings_from
	not covered(from)
	some x in out
}

# There is a pack, and none of its rules allows the crossing.
base_findings contains lib.ruling("base.no-basis", x, sprintf("no rule of %s allows this data to go to %s", [x.from, x.to])) if {
	some from, out in lib.crossings_from
	covered(from)
	some x in out
	not spoken(x)
	not [x.from, x.to] in inner_borders
}

# Two members of one area, such as the EU, have no border for data between them.
base_findings contains lib.allow("base.one-area", x, sprintf("%s and %s are one area for data", [x.from, x.to])) if {
	some [from, to] in inner_borders
	some x in lib.crossings_from[from]
	x.to == to
}

# A ruling was declared for what the packs do not know.
base_findings contains lib.allow("base.legal-ruling", x, sprintf("the owner declares a legal ruling for data from %s to %s", [x.from, x.to])) if {
	some x in lib.crossings
	lib.instrument(x, "legal_ruling")
}

# The packs that are about a jurisdiction.
about(j) := {name | some name in config.packs; j in packs[name].jurisdictions}

covered(j) if count(about(j)) > 0

# Borders between places that one pack is about.
inner_borders contains [from, to] if {
	some from, _ in lib.crossings_from
	some name in about(from)
	some to in lib.destinations
	to in packs[name].jurisdictions
}

# A finding of a pack that is about this crossing: allowed, or refused for a better
# reason than that nothing allows it.
spoken(x) if [x.dataset.id, x.from, x.to] in spoken_about

spoken_about := {[f.dataset, f.from, f.to] | some f in pack_findings}

spoken(x) if lib.instrument(x, "legal_ruling")

# A judge keeps some places out whatever the packs say.
base_findings contains lib.deny("base.blocked", x, sprintf("%s lets no data go to %s", [input.judge.id, x.to]), sprintf("ask %s, or ask from elsewhere", [input.judge.id])) if {
	some place in config.blocked_destinations
	some x in lib.crossings
	x.to == place
}

# Keyholders of one jurisdiction could open everything, whatever the others say.
base_findings contains lib.deny("base.quorum-in-one-place", place(d), sprintf("%d keyholders open a result and %s has %d", [input.threshold, j, n]), "have the registrar form a committee of which no jurisdiction has the threshold") if {
	input.flow == "share"
	config.quorum_in_one_place_refused
	some j in {k.jurisdiction | some k in input.keyholders}
	n := count([k | some k in input.keyholders; k.jurisdiction == j])
	n >= input.threshold
	some d in input.datasets
	d.id in leaving
}

# An obligation of the judge's own.
base_findings contains lib.deny("base.min-owners", place(d), sprintf("numbers of %s must combine at least %d owners, and one of this query combines %d", [d.id, config.min_owners, d.fewest_owners]), sprintf("ask for totals over at least %d owners", [config.min_owners])) if {
	input.flow == "release"
	least := config.min_owners
	some d in input.datasets
	d.fewest_owners < least
}

place(d) := {"dataset": d, "from": d.jurisdiction, "to": ""}

# Obligations are the strictest of all that say something.
obligations := {
	"min_owners": max({1, config.min_owners} | {d.terms.min_owners | some d in input.datasets}),
	"min_group": object.get(config, "min_group", 0),
	"noise": object.get(config, "noise", false),
	"purposes": object.get(config, "purposes", []),
	"approval": object.get(config, "approval", []),
	"valid_until": valid_until,
}

valid_until := time.format(min(ends))

ends contains lib.now + (((config.valid_days * 24) * 3600) * 1000000000)

ends contains data.carnet.terms.first_end if input.flow == "release"

# Of the instruments that may have carried the decision, the first to end.
ends contains e if {
	some x in lib.crossings
	some i in x.dataset.declaration.instruments
	lib.instrument(x, i.kind)
	i.jurisdiction == x.from
	e := time.parse_rfc3339_ns(i.expires)
	e > lib.now
}
