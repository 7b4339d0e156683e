package carnet.base_test

import data.carnet.testing as t

test_what_stays_is_not_judged if t.allows(t.storage("CN", "CN", t.nothing), "base.domestic")

test_no_pack_is_refused if t.refuses(t.storage("BY", "CN", t.statistics), "base.no-pack")

test_a_ruling_passes_where_there_is_no_pack if {
	t.allows(t.storage("BY", "CN", t.with_instruments(t.statistics, ["legal_ruling"], "BY")), "base.legal-ruling")
}

test_a_ruling_of_another_law_does_not if {
	t.refuses(t.storage("BY", "CN", t.with_instruments(t.statistics, ["legal_ruling"], "CN")), "base.no-pack")
}

test_an_expired_ruling_does_not if {
	i := t.storage("BY", "CN", t.with_instruments(t.statistics, ["legal_ruling"], "BY"))
	t.refuses(object.union(i, {"now": "2027-07-01T00:00:00Z"}), "base.no-pack")
}

test_a_ruling_for_another_flow_does_not if {
	d := t.declared({"classes": ["none"], "instruments": [{"kind": "legal_ruling", "number": "1", "jurisdiction": "BY", "destinations": ["CN"], "flows": ["release"], "expires": "2027-06-30T00:00:00Z"}]})
	t.refuses(t.storage("BY", "CN", d), "base.no-pack")
	t.allows(t.release("BY", "CN", d), "base.legal-ruling")
	t.refuses(t.release("BY", "KZ", d), "base.no-pack")
}

test_unknown_places_are_refused if t.refuses(t.storage("CN", "", t.statistics), "base.unknown-place")

# Payment data is in no class that a rule of China is about.
test_no_basis_is_refused if t.refuses(t.storage("CN", "KZ", t.declared({"classes": ["payment"]})), "base.no-basis")

test_one_area_has_no_border if t.allows(t.storage("DE", "FR", t.persons(10)), "base.one-area")

test_blocked_places if {
	i := t.storage("CN", "KZ", t.statistics)
	d := t.decide_by(i, {"blocked_destinations": ["KZ"]})
	not d.allow
}

test_no_jurisdiction_opens_alone if {
	t.allows(t.flow("share", "CN", "KZ", t.statistics), "cn.no-personal-no-important")
	i := object.union(t.flow("share", "CN", "KZ", t.statistics), {"keyholders": [t.party("k1", "CN"), t.party("k2", "KZ"), t.party("k3", "KZ")]})
	t.refuses(i, "base.quorum-in-one-place")
}

test_own_minimum_of_owners if {
	i := t.release("CN", "KZ", t.statistics)
	d := t.decide_by(i, {"min_owners": 3})
	not d.allow
	d.obligations.min_owners == 3
}

test_the_strictest_obligation_counts if {
	i := t.release("CN", "KZ", t.with_instruments(t.persons(10), ["legal_ruling"], "CN"))
	t.decide(i).obligations.valid_until == "2026-12-26T00:00:00Z"
	late := object.union(i, {"now": "2027-06-20T00:00:00Z"})
	t.decide(late).obligations.valid_until == "2027-06-30T00:00:00Z"
}

# Several datasets: each border of each is judged.
test_every_dataset_is_judged if {
	i := t.release("CN", "KZ", t.statistics)
	other := object.union(t.dataset("RU", t.nothing), {"id": "other/data"})
	t.refuses(object.union(i, {"datasets": array.concat(i.datasets, [other])}), "ru.undeclared")
}

# A decision about a result holds no longer than the terms of its datasets.
test_terms_end_a_decision if {
	i := object.union(t.release("CN", "KZ", t.statistics), {"now": "2027-12-20T00:00:00Z"})
	t.decide(i).obligations.valid_until == "2027-12-31T00:00:00Z"
}
