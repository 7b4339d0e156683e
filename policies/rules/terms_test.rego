package carnet.terms_test

import data.carnet.testing as t

asked(terms, query, dataset) := i if {
	base := t.release("CN", "CN", t.nothing)
	i := object.union(base, {
		"datasets": [object.union(object.union(base.datasets[0], {"terms": object.union(t.terms, terms), "asked": object.union(base.datasets[0].asked, query)}), dataset)],
	})
}

test_open_terms if t.allows(asked({}, {}, {}), "base.domestic")

test_terms if {
	t.refuses(asked({"buyers": ["other"]}, {}, {}), "terms.buyer")
	t.refuses(asked({"buyers": []}, {}, {}), "terms.buyer")
	t.refuses(asked({"jurisdictions": ["KZ"]}, {}, {}), "terms.jurisdiction")
	t.allows(asked({"jurisdictions": ["CN"]}, {}, {}), "base.domestic")
	t.refuses(asked({"purposes": ["research"]}, {}, {}), "terms.purpose")
	t.refuses(asked({"aggregates": ["count"]}, {}, {}), "terms.aggregate")
	t.refuses(asked({"group_by": ["month"]}, {"group_by": ["partner"]}, {}), "terms.group-by")
	t.refuses(asked({"filters": ["month"]}, {"filters": ["partner"]}, {}), "terms.filter")
	t.refuses(asked({"min_owners": 2}, {}, {}), "terms.min-owners")
	t.allows(asked({"min_owners": 2}, {}, {"fewest_owners": 2}), "base.domestic")
	t.refuses(asked({"expires": "2026-11-26T00:00:00Z"}, {}, {}), "terms.expired")
	t.refuses(asked({}, {}, {"revoked": true}), "terms.revoked")
}

# Terms are about results.
test_terms_are_about_results if {
	i := t.storage("CN", "CN", t.nothing)
	closed := object.union(i.datasets[0], {"terms": object.union(t.terms, {"buyers": []})})
	t.allows(object.union(i, {"datasets": [closed]}), "base.domestic")
}
