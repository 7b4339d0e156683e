package carnet.packs.cn_test

import data.carnet.testing as t

test_undeclared if t.refuses(t.storage("CN", "KZ", t.nothing), "cn.undeclared")

test_statistics if t.allows(t.storage("CN", "KZ", t.statistics), "cn.no-personal-no-important")

test_the_flows_are_judged_separately if {
	d := t.declared({"classes": ["important"], "instruments": [{"kind": "security_assessment", "number": "1", "jurisdiction": "CN", "destinations": ["KZ"], "flows": ["release"], "expires": "2027-06-30T00:00:00Z"}]})
	t.refuses(t.storage("CN", "KZ", d), "cn.important")
	t.allows(t.release("CN", "KZ", d), "cn.important")
}

test_important if {
	d := t.declared({"classes": ["important"]})
	t.refuses(t.storage("CN", "KZ", d), "cn.important")
	t.allows(t.storage("CN", "KZ", t.with_instruments(d, ["security_assessment"], "CN")), "cn.important")
}

# No exemption of personal data holds for important data.
test_important_is_not_exempt if {
	d := t.declared({"classes": ["personal", "important"], "persons": 10, "collected": ["KZ"], "exporter": ["ftz"]})
	t.refuses(t.storage("CN", "KZ", t.with_instruments(d, ["ftz_negative_list", "necessity_ruling"], "CN")), "cn.important")
}

test_small_volume if t.allows(t.storage("CN", "KZ", t.persons(99999)), "cn.small-volume")

test_contract_from_100000_on if {
	t.refuses(t.storage("CN", "KZ", t.persons(100000)), "cn.middle-volume")
	t.allows(t.storage("CN", "KZ", t.with_instruments(t.persons(100000), ["standard_contract"], "CN")), "cn.middle-volume")
	t.allows(t.storage("CN", "KZ", t.with_instruments(t.persons(999999), ["certification"], "CN")), "cn.certification")
}

test_certificates_count_since_2026 if {
	i := t.storage("CN", "KZ", t.with_instruments(t.persons(100000), ["certification"], "CN"))
	t.refuses(object.union(i, {"now": "2025-12-30T00:00:00Z"}), "cn.middle-volume")
}

test_assessment_from_1000000_on if {
	t.refuses(t.storage("CN", "KZ", t.with_instruments(t.persons(1000000), ["standard_contract", "certification"], "CN")), "cn.large-volume")
	t.allows(t.storage("CN", "KZ", t.with_instruments(t.persons(1000000), ["security_assessment"], "CN")), "cn.large-volume")
}

test_sensitive if {
	t.refuses(t.storage("CN", "KZ", t.sensitive(1)), "cn.middle-volume")
	t.allows(t.storage("CN", "KZ", t.with_instruments(t.sensitive(9999), ["standard_contract"], "CN")), "cn.middle-volume")
	t.refuses(t.storage("CN", "KZ", t.with_instruments(t.sensitive(10000), ["standard_contract"], "CN")), "cn.large-volume")
}

test_critical_operators if {
	d := object.union(t.persons(1), {"exporter": ["ciio"]})
	t.refuses(t.storage("CN", "KZ", d), "cn.critical-operator")
	t.refuses(t.storage("CN", "KZ", t.with_instruments(d, ["standard_contract"], "CN")), "cn.critical-operator")
	t.allows(t.storage("CN", "KZ", t.with_instruments(d, ["security_assessment"], "CN")), "cn.large-volume")
}

export(dataset, at, n, s) := {"owner": "own", "dataset": dataset, "at": at, "persons": n, "sensitive_persons": s}

# The volume counts over all datasets of an owner since 1 January, Beijing time.
test_volumes_add_up if {
	i := t.storage("CN", "KZ", t.persons(60000))
	t.allows(i, "cn.small-volume")
	t.refuses(object.union(i, {"exports": [export("own/other", "2026-01-02T00:00:00Z", 60000, 0)]}), "cn.middle-volume")
	t.allows(object.union(i, {"exports": [export("own/other", "2025-12-31T15:59:59Z", 60000, 0)]}), "cn.small-volume")
	t.refuses(object.union(i, {"exports": [export("own/other", "2025-12-31T16:00:00Z", 60000, 0)]}), "cn.middle-volume")
}

# What the journal has of this dataset is not counted twice.
test_published_counts_once if {
	i := t.release("CN", "KZ", t.persons(60000))
	t.allows(object.union(i, {"exports": [export("own/data", "2026-01-02T00:00:00Z", 60000, 0)]}), "cn.small-volume")
}

test_processed_for_abroad if {
	d := object.union(t.sensitive(20000), {"collected": ["KZ"]})
	i := t.storage("CN", "KZ", d)
	t.allows(i, "cn.processed-for-abroad")
	t.refuses(t.storage("CN", "KZ", object.union(d, {"domestic_added": true})), "cn.large-volume")
	t.refuses(t.storage("CN", "KZ", object.union(d, {"collected": ["KZ", "CN"]})), "cn.large-volume")
}

test_free_trade_zone if {
	d := object.union(t.persons(200000), {"exporter": ["ftz"]})
	t.refuses(t.storage("CN", "KZ", d), "cn.middle-volume")
	t.allows(t.storage("CN", "KZ", t.with_instruments(d, ["ftz_negative_list"], "CN")), "cn.free-trade-zone")
	t.refuses(t.storage("CN", "KZ", t.with_instruments(t.persons(200000), ["ftz_negative_list"], "CN")), "cn.middle-volume")
}

test_necessity if t.allows(t.storage("CN", "KZ", t.with_instruments(t.persons(200000), ["necessity_ruling"], "CN")), "cn.necessity")

# Before the provisions were in force this pack knows of nothing that allows anything.
test_before_the_provisions if {
	t.refuses(object.union(t.storage("CN", "KZ", t.statistics), {"now": "2024-03-21T00:00:00Z"}), "base.no-basis")
}
