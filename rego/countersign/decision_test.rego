package countersign.decision_test

import data.countersign.case
import data.countersign.decision

# Policies of a bundle, in place of any other below `guardrails`.
says(sets) := {"acme": sets}

read := case.asks([case.effect({})], {})

dropping := case.asks([case.table("drop", "orders_idx", {"resource": {"type": "index"}})], {})

reason(rule, i) := {"rule": rule, "severity": "low", "effect": i, "message": "…", "controls": []}

test_a_covered_effect_is_allowed if {
	answer := decision with input as read
	answer.verdict == "allow"
	case.rules(answer) == {"standing.read"}
	answer.masks == []
	answer.obligations == []
}

test_a_deny_of_a_bundle_wins if {
	answer := decision with input as read with data.guardrails as says({"deny": {reason("acme.no", 0)}})
	answer == {"verdict": "deny", "reasons": [reason("acme.no", 0)], "masks": [], "obligations": []}
}

test_a_deny_counts_however_badly_it_is_written[name] if {
	some name, badly in {
		"text": "no",
		"number": 7,
		"empty": {},
		"wrong rule": {"rule": 1, "message": []},
		"wrong effect": {"rule": "acme.no", "message": "…", "effect": 99},
	}
	answer := decision with input as read with data.guardrails as says({"deny": {badly}})
	answer.verdict == "deny"
	is_string(answer.reasons[0].message)
	is_string(answer.reasons[0].rule)
	answer.reasons[0].effect == null
	answer.reasons[0].severity == "high"
}

test_what_is_no_set_denies[name] if {
	some name, sets in {
		"deny := true": {"deny": true},
		"deny := false": {"deny": false},
		"deny is a text": {"deny": "no"},
		"mask is a text": {"mask": "email"},
		"oblige is an object": {"oblige": {"a": 1}},
	}
	answer := decision with input as read with data.guardrails as says(sets)
	answer.verdict == "deny"
	"policy.ill_typed" in case.rules(answer)
}

test_an_allow_of_a_bundle_covers_its_effect if {
	answer := decision with input as dropping with data.guardrails as says({"allow": {reason("acme.yes", 0)}})
	answer.verdict == "allow"
	case.rules(answer) == {"acme.yes"}
}

test_an_allow_covers_no_other_effect if {
	answer := decision with input as dropping with data.guardrails as says({"allow": {reason("acme.yes", 1), {"rule": "acme.yes"}, "yes"}})
	answer.verdict == "deny"
	case.rules(answer) == {"grant.required"}
	answer.reasons[0].remedy.grantRequest == "/v1/grants"
}

test_without_standing_rights_nothing_can_be_lent if {
	answer := decision with input as dropping with data.standing as false
	answer.verdict == "deny"
	case.rules(answer) == {"policy.uncovered"}
}

test_what_the_service_found_denies if {
	check := {"rule": "target.dialect", "message": "mysql on a PostgreSQL", "hint": "…"}
	answer := decision with input as object.union(read, {"checks": [check]})
	answer.verdict == "deny"
	case.rules(answer) == {"target.dialect"}
}

test_a_malformed_command_says_so_once if {
	question := object.union(
		case.unseen([case.effect({"action": "unknown", "confidence": "opaque"})], [["parse_error", null, []]]),
		{"intent": {"parse": {"ok": false, "error": "syntax error"}}},
	)
	answer := decision with input as question
	answer.verdict == "deny"
	case.rules(answer) == {"command.malformed"}
}

test_each_unseen_thing_is_a_reason if {
	effects := [case.effect({}), case.effect({})]
	answer := decision with input as case.unseen(effects, [["dynamic_sql", 0, []], ["external_file", 1, []]])
	answer.verdict == "deny"
	count(answer.reasons) == 2
	case.rules(answer) == {"command.opaque"}
}

test_an_allow_that_names_the_code_waives_it if {
	question := case.unseen([case.effect({})], [["runtime_input", 0, []]])
	waiver := {"rule": "acme.waiver", "opaque": "runtime_input", "effect": 0, "message": "…"}
	answer := decision with input as question with data.guardrails as says({"allow": {waiver}})
	answer.verdict == "allow"
	case.rules(answer) == {"acme.waiver", "standing.read"}
}

test_a_waiver_of_another_code_or_effect_waives_nothing[name] if {
	some name, waiver in {
		"code": {"rule": "acme.waiver", "opaque": "external_file", "effect": 0},
		"effect": {"rule": "acme.waiver", "opaque": "runtime_input", "effect": 1},
		"no rule": {"opaque": "runtime_input", "effect": 0},
	}
	question := case.unseen([case.effect({}), case.effect({})], [["runtime_input", 0, []]])
	answer := decision with input as question with data.guardrails as says({"allow": {waiver}})
	answer.verdict == "deny"
}

test_a_waiver_covers_no_effect if {
	effects := [case.file("execute", "/srv/app/x.sh", {"confidence": "opaque"})]
	waiver := {"rule": "acme.waiver", "opaque": "external_file", "effect": 0}
	answer := decision with input as case.unseen(effects, [["external_file", 0, []]])
		with data.guardrails as says({"allow": {waiver}})
	answer.verdict == "deny"
	case.rules(answer) == {"policy.uncovered"}
}

test_no_waiver_of_what_is_never_waived[code] if {
	some code in ["size_limit", "parse_error", "malformed_bytes", "parser_disagreement", "not_analyzed"]
	question := case.unseen([case.effect({})], [[code, 0, []]])
	waiver := {"rule": "acme.waiver", "opaque": code}
	answer := decision with input as question with data.guardrails as says({"allow": {waiver, reason("acme.yes", 0)}})
	answer.verdict == "deny"
}

test_reasons_come_in_order_and_once if {
	denies := {
		object.union(reason("b.low", 0), {"severity": "low"}),
		object.union(reason("z.critical", null), {"severity": "critical"}),
		object.union(reason("a.low", 0), {"severity": "low"}),
		object.union(reason("c.low", null), {"severity": "low"}),
	}
	answer := decision with input as read with data.guardrails as says({"deny": denies})
	[r.rule | some r in answer.reasons] == ["z.critical", "c.low", "a.low", "b.low"]
}

test_obligations_go_with_an_allow_and_not_with_a_deny if {
	duty := {"id": "acme.note", "type": "notify", "properties": {"to": "ops"}}
	allowed := decision with input as read with data.guardrails as says({"oblige": {duty}})
	allowed.obligations == [duty]
	denied := decision with input as read
		with data.guardrails as says({"oblige": {duty}, "deny": {reason("acme.no", 0)}})
	denied.obligations == []
}

test_what_is_no_obligation_denies if {
	answer := decision with input as read with data.guardrails as says({"oblige": {{"id": "acme.note"}}})
	answer.verdict == "deny"
	case.rules(answer) == {"policy.ill_typed"}
}

sensitive := case.asks(
	[case.table("read", "people", {"sensitivity": "sensitive"})],
	{"lineage": case.lineage([case.column(0, "email", "plain", [["people", "email", "sensitive"]])], [])},
)

test_of_two_masks_the_stricter_holds if {
	mask := {"rule": "acme.mask", "index": 0, "field": "email", "source": "people.email", "method": "null"}
	answer := decision with input as sensitive with data.guardrails as says({"mask": {mask}})
	answer.verdict == "mask"
	answer.masks == [mask]
	case.rules(answer) == {"acme.mask"}
}

test_a_mask_that_does_not_fit_the_result_denies[name] if {
	some name, change in {
		"no such column": {"index": 7},
		"another name": {"field": "mail"},
		"no such method": {"method": "blur"},
	}
	mask := {"rule": "acme.mask", "index": 0, "field": "email", "source": "people.email", "method": "null"}
	answer := decision with input as sensitive with data.guardrails as says({"mask": {object.union(mask, change)}})
	answer.verdict == "deny"
	case.rules(answer) == {"policy.ill_typed"}
}

test_a_mask_without_a_result_denies if {
	mask := {"rule": "acme.mask", "index": 0, "field": "email", "source": "people.email", "method": "null"}
	answer := decision with input as read with data.guardrails as says({"mask": {mask}})
	answer.verdict == "deny"
}

exception := {
	"rule": "sql.bulk_delete",
	"target": "orders-db",
	"resource": "job*",
	"owner": "user:ana",
	"until": "2026-12-01T00:00:00.000Z",
	"reason": "…",
}

emptying := case.asks([case.table("delete", "jobs", {"scope": "all"})], {})

test_an_exception_lifts_its_rule_and_is_the_reason if {
	answer := decision with input as emptying with data.exceptions as [exception]
	answer.verdict == "allow"
	case.rules(answer) == {"policy.excepted"}
}

test_an_exception_lifts_nothing_else[name] if {
	some name, change in {
		"another rule": {"rule": "sql.truncate"},
		"another target": {"target": "other-db"},
		"another resource": {"resource": "orders"},
		"another actor": {"actor": "service:other"},
		"its end": {"until": "2026-11-21T03:00:00.123Z"},
		"no end": {"until": null},
		"no owner": {"owner": null},
	}
	answer := decision with input as emptying with data.exceptions as [object.union(exception, change)]
	answer.verdict == "deny"
	case.rules(answer) == {"sql.bulk_delete"}
}

test_an_exception_is_about_the_target_that_the_effect_lands_on if {
	elsewhere := object.union(case.place("production", true), {"target": "orders-prod"})
	answer := decision with input as object.union(emptying, {"places": [elsewhere]}) with data.exceptions as [exception]
	answer.verdict == "deny"
}

test_an_exception_is_about_targets_that_the_data_pins if {
	answer := decision with input as object.union(emptying, {"target": {"registered": false}})
		with data.exceptions as [exception]
	answer.verdict == "deny"
}

test_the_guard_makes_no_exceptions if {
	question := case.asks([case.table("config", "row_security", {"resource": {"type": "setting"}})], {})
	row := object.union(exception, {"rule": "guard.setting", "resource": "*"})
	answer := decision with input as question with data.exceptions as [row]
	answer.verdict == "deny"
	case.rules(answer) == {"guard.setting"}
}

test_an_open_environment_needs_no_allow if {
	answer := decision with input as case.in_the_open([case.table("drop", "orders", {"scope": "all"})], {})
	answer.verdict == "allow"
	case.rules(answer) == {"standing.unprotected"}
}

test_an_environment_that_denies_by_default_needs_an_allow if {
	question := case.in_the_open([case.table("drop", "orders_idx", {"resource": {"type": "index"}})], {})
	answer := decision with input as question
		with data.environments as {"development": {"protected": false, "default": "deny"}}
	answer.verdict == "deny"
	case.rules(answer) == {"grant.required"}
}

test_an_environment_on_no_list_is_protected_whatever_the_place_says if {
	question := object.union(dropping, {"places": [case.place("staging", false)]})
	answer := decision with input as question
	answer.verdict == "deny"
}
