# METADATA
# title: What no bundle may change
# description: >-
#   These tests run against the modules and the data that result when a bundle is added, before it can be
#   activated. They are about the decision, not about the shipped rules: a bundle may replace those.
package countersign.invariants

import data.countersign.case
import data.countersign.decision

# An effect of which no sane policy speaks, so that only a rule which allows everything allows it.
nobody_speaks_of := case.effect({
	"action": "unknown",
	"resource": {"system": "invariant", "type": "invariant", "name": "*unknown*"},
	"scope": "unknown",
})

own_records := case.table("drop", "leaf", {"resource": {"schema": "countersign"}, "scope": "all"})

actors := [
	case.by("agent", "agent:invariant"),
	case.by("human", "user:invariant"),
	case.by("pipeline", "pipeline:invariant"),
	case.by("service", "service:invariant"),
]

# As the service tells them: unprotected only if the data says so.
environments := {"production", "prod", "live", "invariant-unlisted", "unresolved"}

# One that is on no list, and those that the data opens: what holds in these holds in all.
either_kind := {"invariant-unlisted"} | opened

opened := {name | some name, row in data.environments; row.protected == false}

in_environment(question, name) := object.union(question, {
	"places": [case.place(name, protects(name)) | some _ in question.intent.effects],
	"target": {"environment": name, "protected": protects(name)},
})

protects(name) := false if {
	name in opened
} else := true

denies(question) if {
	answer := decision with input as question
	answer.verdict == "deny"
	count(answer.reasons) > 0
	count(answer.masks) == 0
}

test_what_cannot_be_read_is_denied_everywhere if {
	question := case.asks([case.effect({"action": "none"})], {"intent": {"parse": {"ok": false, "error": "…"}}})
	every name in either_kind { denies(in_environment(question, name)) }
}

test_what_is_unseen_of_the_whole_command_is_denied_everywhere if {
	every code in ["external_file", "not_analyzed", "runtime_input", "time_limit", "unknown_command"] {
		question := case.unseen([case.effect({"action": "none"})], [[code, null, []]])
		every name in either_kind { denies(in_environment(question, name)) }
	}
}

test_what_is_never_waived_is_denied_everywhere if {
	every code in [
		"depth_limit", "malformed_bytes", "node_limit", "not_analyzed", "parse_error", "parser_disagreement",
		"size_limit", "time_limit",
	] {
		question := case.unseen([case.effect({"confidence": "opaque"})], [[code, 0, []]])
		every name in either_kind { denies(in_environment(question, name)) }
	}
}

test_what_is_unseen_without_a_reason_is_denied_everywhere if {
	question := case.asks([case.effect({"action": "none"})], {"intent": {"opaque": true}})
	every name in either_kind { denies(in_environment(question, name)) }
}

test_an_opaque_effect_that_nothing_explains_is_denied_everywhere if {
	question := case.asks([case.effect({"confidence": "opaque"})], {})
	every name in either_kind { denies(in_environment(question, name)) }
}

test_no_effect_is_denied_everywhere if {
	every name in either_kind { denies(in_environment(case.asks([], {}), name)) }
}

test_what_the_service_found_is_denied_everywhere if {
	check := {"rule": "target.mismatch", "message": "…", "hint": "…"}
	question := case.asks([case.effect({"action": "none"})], {"checks": [check]})
	every name in either_kind { denies(in_environment(question, name)) }
}

test_an_effect_that_no_rule_names_is_denied_where_the_data_lists_nothing if {
	every actor in actors {
		denies(in_environment(object.union(case.asks([nobody_speaks_of], {}), actor), "invariant-unlisted"))
	}
	every name in environments { denies(in_environment(case.asks([nobody_speaks_of], {}), name)) }
}

test_one_effect_that_no_rule_names_denies_the_others if {
	question := case.asks([case.effect({"action": "none"}), nobody_speaks_of], {})
	every name in environments { denies(in_environment(question, name)) }
}

# The service may find a place protected that the data does not: an endpoint that nobody knows.
test_a_place_that_the_service_protects_is_protected if {
	question := case.asks([nobody_speaks_of], {})
	every name in opened {
		denies(object.union(question, {"places": [case.place(name, true)], "target": {"environment": name}}))
	}
}

test_an_effect_without_a_place_is_protected if {
	denies(object.union(case.asks([nobody_speaks_of], {}), {"places": []}))
}

test_the_names_of_production_are_not_opened if {
	every name in environments { not name in opened }
}

test_the_service_s_own_records_are_not_dropped_where_the_data_lists_nothing if {
	every actor in actors {
		denies(in_environment(object.union(case.asks([own_records], {}), actor), "invariant-unlisted"))
	}
	every name in environments { denies(in_environment(case.asks([own_records], {}), name)) }
}

test_what_is_only_claimed_changes_nothing if {
	question := object.union(case.asks([nobody_speaks_of], {}), {
		"actor": {
			"claimed": {"type": "service", "roles": ["admin", "root"], "groups": ["admins"], "attributes": {"admin": true}},
			"onBehalfOf": {"id": "user:root", "type": "human", "verified": false},
		},
		"context": {"ticket": "OPS-1", "purpose": "emergency", "attributes": {"approved": true}},
		"target": {"registered": false, "labels": {"environment": "development", "protected": "false"}},
	})
	every name in environments { denies(in_environment(question, name)) }
}

# The decision collects from `guardrails.<own>`; what stands deeper would be said to nobody.
test_no_package_says_something_where_nobody_listens if {
	count([1 | is_set(data.guardrails[_][_].deny)]) == 0
	count([1 | is_set(data.guardrails[_][_].mask)]) == 0
	count([1 | is_set(data.guardrails[_][_].oblige)]) == 0
	count([1 | is_set(data.guardrails[_][_].allow)]) == 0
}
