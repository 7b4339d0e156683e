# What the tests of rules and packs are written with: an input for one dataset that goes
# from one jurisdiction to another, and verdicts on it.
package carnet.testing

now := "2026-11-26T00:00:00Z"

party(id, j) := {"id": id, "jurisdiction": j, "roles": []}

nothing := {"declared": false, "classes": [], "persons": 0, "sensitive_persons": 0, "collected": [], "domestic_added": false, "exporter": [], "instruments": []}

declared(changes) := object.union(object.union(nothing, {"declared": true}), changes)

statistics := declared({"classes": ["none"]})

persons(n) := declared({"classes": ["personal"], "persons": n})

sensitive(n) := declared({"classes": ["personal", "sensitive"], "persons": n, "sensitive_persons": n})

with_instruments(d, kinds, from) := object.union(d, {"instruments": [i |
	some kind in kinds
	i := {"kind": kind, "number": "1", "jurisdiction": from, "destinations": ["*"], "flows": ["*"], "expires": "2027-06-30T00:00:00Z"}
]})

terms := {"buyers": ["*"], "jurisdictions": [], "purposes": ["*"], "aggregates": [], "group_by": [], "filters": [], "min_owners": 0, "min_group": 0, "max_share": 0, "noise": false, "approval": "", "expires": "2027-12-31T00:00:00Z"}

no_plan := {"layout": "cube", "aggregates": ["sum"], "group_by": [], "filters": [], "columns": ["sum"], "groups": 1, "openings": 1, "factors": 1, "rows": 10, "private": false, "owners": 1}

dataset(from, declaration) := {
	"id": "own/data", "statement": "", "owner": party("own", from), "jurisdiction": from, "layout": "cube", "rows": 10,
	"home_veto": false, "revoked": false, "fewest_owners": 1, "asked": {"aggregates": ["sum"], "group_by": [], "filters": []}, "terms": terms, "declaration": declaration,
}

# keyholders are three at home and one where the flow goes, so that no place but home
# could have two.
flow(name, from, to, declaration) := {
	"version": 3, "flow": name, "now": now, "judge": party("judge", to), "operator": party("gate", to), "buyer": party("buy", to),
	"keyholders": [party("k1", from), party("k2", to)], "threshold": 2, "purpose": "statistics",
	"datasets": [dataset(from, declaration)], "plan": no_plan, "exports": [],
}

storage(from, to, declaration) := flow("storage", from, to, declaration)

release(from, to, declaration) := flow("release", from, to, declaration)

# Tests hold whatever a judge chooses in config.yaml.
config := {"packs": [name | some name, p in data.packs; count(p.jurisdictions) > 0], "blocked_destinations": [], "quorum_in_one_place_refused": true, "min_owners": 1, "min_group": 0, "noise": false, "purposes": [], "approval": [], "valid_days": 30}

decide(i) := decide_by(i, {})

decide_by(i, changes) := d if {
	d := data.carnet.decision with input as i with data.config as object.union(config, changes)
}

allows(i, rule) if {
	d := decide(i)
	d.allow
	some f in d.findings
	f.rule == rule
	f.effect == "allow"
}

refuses(i, rule) if {
	d := decide(i)
	not d.allow
	some f in d.findings
	f.rule == rule
	f.effect in {"deny", "ruling"}
	count(f.remedy) > 20
}

speaks(i, rule) if {
	some f in decide(i).findings
	f.rule == rule
}
