package carnet.packs.others_test

import data.carnet.testing as t

# Every pack: undeclared data needs a ruling, statistics pass, a ruling for personal data
# or an instrument is asked for.
test_undeclared_needs_a_ruling if {
	every j in ["RU", "KZ", "UZ", "IN", "PK", "KG"] {
		t.refuses(t.storage(j, "CN", t.nothing), sprintf("%s.undeclared", [lower(j)]))
	}
	t.refuses(t.storage("DE", "CN", t.nothing), "eu.undeclared")
}

test_statistics_pass if {
	every j in ["RU", "KZ", "UZ", "IN", "PK", "KG"] {
		t.allows(t.release(j, "CN", t.statistics), sprintf("%s.no-personal", [lower(j)]))
	}
	t.allows(t.release("DE", "CN", t.statistics), "eu.no-personal")
}

test_russia_keeps_the_primary_database if {
	i := t.storage("RU", "CN", t.with_instruments(t.persons(5), ["rkn_notification"], "RU"))
	t.refuses(i, "ru.localisation")
	t.allows(t.storage("RU", "CN", t.with_instruments(t.persons(5), ["rkn_notification", "primary_database"], "RU")), "ru.adequate")
	t.allows(object.union(i, {"now": "2025-06-30T00:00:00Z"}), "ru.adequate")
}

test_russia_is_notified if {
	t.refuses(t.release("RU", "CN", t.persons(5)), "ru.notification")
	t.allows(t.release("RU", "CN", t.with_instruments(t.persons(5), ["rkn_notification"], "RU")), "ru.adequate")
}

test_russia_adequacy_is_not_guessed if {
	t.refuses(t.release("RU", "UZ", t.with_instruments(t.persons(5), ["rkn_notification"], "RU")), "ru.not-known-adequate")
	t.allows(t.release("RU", "UZ", t.with_instruments(t.persons(5), ["rkn_notification", "legal_ruling"], "RU")), "base.legal-ruling")
}

test_kazakhstan if {
	t.refuses(t.storage("KZ", "CN", t.persons(5)), "kz.localisation")
	t.refuses(t.storage("KZ", "CN", t.with_instruments(t.persons(5), ["primary_database"], "KZ")), "kz.digital-code")
	t.allows(t.storage("KZ", "CN", t.with_instruments(t.persons(5), ["primary_database", "legal_ruling"], "KZ")), "base.legal-ruling")
}

test_uzbekistan_before_and_after_march_2026 if {
	i := t.storage("UZ", "CN", t.with_instruments(t.persons(5), ["standard_contract"], "UZ"))
	t.refuses(object.union(i, {"now": "2026-03-25T00:00:00Z"}), "uz.localisation-2021")
	t.allows(i, "uz.conditions")
	not t.speaks(i, "uz.localisation-2021")
	t.refuses(t.storage("UZ", "CN", t.persons(5)), "uz.conditions")
	t.allows(t.storage("UZ", "CN", t.with_instruments(t.persons(5), ["legal_ruling"], "UZ")), "base.legal-ruling")
}

test_uzbekistan_keeps_three_classes if {
	every c in ["biometric", "genetic", "telecom"] {
		d := t.declared({"classes": [c], "persons": 5, "sensitive_persons": 5})
		t.refuses(t.storage("UZ", "CN", t.with_instruments(d, ["standard_contract"], "UZ")), "uz.local-classes")
		t.allows(t.storage("UZ", "UZ", d), "base.domestic")
	}
}

test_india if {
	t.allows(t.storage("IN", "CN", t.persons(5)), "in.not-restricted")
	t.refuses(t.storage("IN", "CN", t.declared({"classes": ["payment"]})), "in.payment")
	t.refuses(t.storage("IN", "CN", t.declared({"classes": ["biometric"], "persons": 5, "sensitive_persons": 5})), "in.sector")
	d := t.decide(t.storage("IN", "CN", t.persons(5))) with data.packs["in"].restricted as ["CN"]
	{f.rule | some f in d.findings} == {"in.restricted"}
}

test_india_from_may_2027_on if {
	d := object.union(t.persons(5), {"exporter": ["sdf"]})
	t.allows(t.storage("IN", "CN", d), "in.not-restricted")
	t.refuses(object.union(t.storage("IN", "CN", d), {"now": "2027-05-15T00:00:00Z"}), "in.significant-fiduciary")
}

test_pakistan if {
	t.refuses(t.storage("PK", "CN", t.persons(5)), "pk.personal")
	t.refuses(t.storage("PK", "IN", t.statistics), "pk.restricted")
	t.refuses(t.storage("PK", "CN", t.with_instruments(t.declared({"classes": ["telecom"], "persons": 5}), ["legal_ruling"], "PK")), "pk.telecom")
	t.allows(t.storage("PK", "CN", t.with_instruments(t.persons(5), ["legal_ruling"], "PK")), "base.legal-ruling")
}

test_kyrgyzstan if {
	t.refuses(t.storage("KG", "CN", t.persons(5)), "kg.personal")
	t.allows(t.storage("KG", "CN", t.with_instruments(t.persons(5), ["legal_ruling"], "KG")), "base.legal-ruling")
}

test_eu if {
	t.allows(t.storage("DE", "CH", t.persons(5)), "eu.adequate")
	t.refuses(t.storage("DE", "CN", t.persons(5)), "eu.safeguards")
	t.refuses(t.storage("DE", "CN", t.with_instruments(t.persons(5), ["standard_contract"], "DE")), "eu.assessment")
	t.allows(t.storage("DE", "CN", t.with_instruments(t.persons(5), ["standard_contract", "transfer_assessment"], "DE")), "eu.safeguards")
}
