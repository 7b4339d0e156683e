# The owners' terms, as data of the signed manifests. They are about results: what was
# published may be kept, and key shares are dealt by the owner. pkg/terms judges the same
# conditions in Go whatever the bundle says; a test holds the two against each other.
package carnet.terms

import data.carnet.lib

refuse(id, d, message, remedy) := lib.deny(id, {"dataset": d, "from": d.jurisdiction, "to": input.buyer.jurisdiction}, message, remedy)

finding contains refuse("terms.revoked", d, sprintf("dataset %s has been revoked by its owner", [d.id]), "ask again: the product without this dataset has a plan of its own") if {
	input.flow == "release"
	some d in input.datasets
	d.revoked
}

# The first end of all terms: while it is to come, no dataset is asked for its own.
first_end := min({time.parse_rfc3339_ns(d.terms.expires) | some d in input.datasets})

finding contains refuse("terms.expired", d, sprintf("the terms of dataset %s expired on %s", [d.id, d.terms.expires]), "the owner has to publish the dataset again with later terms") if {
	input.flow == "release"
	first_end <= lib.now
	some d in input.datasets
	time.parse_rfc3339_ns(d.terms.expires) <= lib.now
}

# Lists are the same in many terms, and each is judged once.
others_only := {l | some l in {d.terms.buyers | some d in input.datasets}; not lib.covers(l, input.buyer.id)}

finding contains refuse("terms.buyer", d, sprintf("%s does not allow %s to use dataset %s", [d.owner.id, input.buyer.id, d.id]), sprintf("ask %s to name you in the terms, or leave its data out", [d.owner.id])) if {
	input.flow == "release"
	some l in others_only
	some d in input.datasets
	d.terms.buyers == l
}

finding contains refuse("terms.jurisdiction", d, sprintf("%s does not allow buyers of %s to use dataset %s", [d.owner.id, input.buyer.jurisdiction, d.id]), sprintf("ask %s to allow your jurisdiction, or leave its data out", [d.owner.id])) if {
	input.flow == "release"
	some d in input.datasets
	d.terms.jurisdictions[0]
	not input.buyer.jurisdiction in d.terms.jurisdictions
}

otherwise := {l | some l in {d.terms.purposes | some d in input.datasets}; not lib.covers(l, input.purpose)}

finding contains refuse("terms.purpose", d, sprintf("%s does not allow dataset %s to be used for the purpose \"%s\"", [d.owner.id, d.id, input.purpose]), sprintf("ask for one of the allowed purposes: %s", [concat(", ", d.terms.purposes)])) if {
	input.flow == "release"
	some l in otherwise
	some d in input.datasets
	d.terms.purposes == l
}

finding contains refuse("terms.aggregate", d, sprintf("%s does not allow to aggregate with %s on dataset %s", [d.owner.id, used, d.id]), sprintf("allowed is to aggregate with: %s", [concat(", ", d.terms.aggregates)])) if {
	input.flow == "release"
	some d in input.datasets
	d.terms.aggregates[0]
	some used in d.asked.aggregates
	not used in d.terms.aggregates
}

finding contains refuse("terms.group-by", d, sprintf("%s does not allow to group by %s on dataset %s", [d.owner.id, used, d.id]), sprintf("allowed is to group by: %s", [concat(", ", d.terms.group_by)])) if {
	input.flow == "release"
	some d in input.datasets
	d.terms.group_by[0]
	some used in d.asked.group_by
	not used in d.terms.group_by
}

finding contains refuse("terms.filter", d, sprintf("%s does not allow to filter by %s on dataset %s", [d.owner.id, used, d.id]), sprintf("allowed is to filter by: %s", [concat(", ", d.terms.filters)])) if {
	input.flow == "release"
	some d in input.datasets
	d.terms.filters[0]
	some used in d.asked.filters
	not used in d.terms.filters
}

finding contains refuse("terms.min-owners", d, sprintf("%s releases numbers of dataset %s only if they combine at least %d owners, and one number of this query combines %d", [d.owner.id, d.id, d.terms.min_owners, d.fewest_owners]), sprintf("ask for totals over at least %d owners: do not tell them apart by owner, jurisdiction or partitions", [d.terms.min_owners])) if {
	input.flow == "release"
	some d in input.datasets
	d.terms.min_owners > 1
	d.fewest_owners < d.terms.min_owners
}
