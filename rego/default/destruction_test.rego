package standard.destruction_test

import data.countersign.case
import data.countersign.decision

# Rule, and what it fires on.
fires := {
	"all rows": ["sql.bulk_delete", [case.table("delete", "customers", {"scope": "all", "why": "no_predicate"})]],
	"a filter": ["sql.bulk_delete", [case.table("delete", "customers", {"scope": "bulk"})]],
	"unknown rows": ["sql.bulk_delete", [case.table("delete", "customers", {"scope": "unknown"})]],
	"a bound above the threshold": ["sql.bulk_delete", [case.table("delete", "jobs", {"scope": "bounded", "limit": 101})]],
	"a bound without a number": ["sql.bulk_delete", [case.table("delete", "jobs", {"scope": "bounded"})]],
	"bounds that add up": ["sql.bulk_delete", [
		case.table("delete", "jobs", {"scope": "bounded", "limit": 60}),
		case.table("delete", "jobs", {"scope": "bounded", "limit": 41}),
	]],
	"every row changed": ["sql.bulk_update", [case.table("update", "orders", {"scope": "all"})]],
	"many rows changed": ["sql.bulk_update", [case.table("update", "orders", {"scope": "bulk"})]],
	"truncate": ["sql.truncate", [case.table("truncate", "orders", {"scope": "all"})]],
	"drop": ["sql.drop", [case.table("drop", "orders", {"scope": "all"})]],
	"drop of a schema": ["sql.drop", [case.table("drop", "public", {"scope": "all", "cascade": true, "resource": {"type": "schema"}})]],
	"a column": ["sql.drop_column", [case.table("alter", "people", {"scope": "all", "resource": {"columns": ["email"]}})]],
	"a tree": ["file.recursive_delete", [case.file("delete", "/srv/data", {"scope": "all"})]],
	"a tree in the workspace": ["file.recursive_delete", [case.file("delete", "/srv/app/src", {"scope": "all"})]],
	"a pattern": ["file.recursive_delete", [case.file("delete", "/srv/data/*.log", {"scope": "bulk"})]],
	"a file emptied": ["file.truncate", [case.file("truncate", "/srv/app/config.yml", {})]],
	"a disk": ["file.drop", [case.file("drop", "/dev/sda", {"scope": "all"})]],
	"a namespace": ["resource.bulk_delete", [case.effect({
		"action": "delete",
		"resource": {"system": "kubernetes", "type": "namespace", "name": "prod"},
		"scope": "all",
	})]],
	"an index": ["resource.bulk_delete", [case.effect({
		"action": "drop",
		"resource": {"system": "elasticsearch", "type": "index", "name": "_all"},
		"scope": "all",
	})]],
	"objects": ["resource.bulk_update", [case.effect({
		"action": "write",
		"resource": {"system": "aws", "type": "s3_object", "name": "prod-data/*"},
		"scope": "bulk",
	})]],
}

silent := {
	"one row": [case.table("delete", "customers", {})],
	"at the threshold": [case.table("delete", "jobs", {"scope": "bounded", "limit": 100})],
	"bounds on different tables": [
		case.table("delete", "jobs", {"scope": "bounded", "limit": 60}),
		case.table("delete", "events", {"scope": "bounded", "limit": 60}),
	],
	"bounds that stay below": [
		case.table("update", "jobs", {"scope": "bounded", "limit": 60}),
		case.table("update", "jobs", {}),
	],
	"nothing at all": [case.table("delete", "jobs", {"scope": "bounded", "limit": 0})],
	"a rebuildable folder": [case.file("delete", "/srv/app/node_modules", {"scope": "bounded"})],
	"a file": [case.file("delete", "/srv/app/notes.md", {})],
	"one key": [case.effect({
		"action": "delete",
		"resource": {"system": "redis", "type": "key", "name": "session:42"},
	})],
}

test_denies[name] if {
	some name, row in fires
	answer := decision with input as case.asks(row[1], {})
	answer.verdict == "deny"
	case.rules(answer) == {row[0]}
}

test_allows[name] if {
	some name, effects in silent
	answer := decision with input as case.asks(effects, {})
	answer.verdict == "allow"
}

test_an_index_is_dropped_with_a_grant_only if {
	index := case.table("drop", "orders_idx", {"resource": {"type": "index"}})
	answer := decision with input as case.asks([index], {})
	case.rules(answer) == {"grant.required"}
}

test_what_is_open_is_everyday_work[name] if {
	some name, effects in {
		"all rows": [case.table("delete", "customers", {"scope": "all"})],
		"a table": [case.table("drop", "customers", {"scope": "all"})],
		"the workspace": [case.file("delete", "/srv/app/src", {"scope": "all"})],
		"a file": [case.file("truncate", "/tmp/out", {})],
	}
	answer := decision with input as case.in_the_open(effects, {})
	answer.verdict == "allow"
}

test_outside_the_workspace_is_never_open[name] if {
	some name in ["/srv/data", "/srv/application", "/srv/app/../data", "/"]
	answer := decision with input as case.in_the_open([case.file("delete", name, {"scope": "all"})], {})
	answer.verdict == "deny"
	case.rules(answer) == {"file.recursive_delete"}
}

test_history_is_not_rewritten if {
	summary := {"intent": {"summary": {"categories": ["history_rewrite"]}}}
	answer := decision with input as case.asks([case.effect({"action": "none"})], summary)
	case.rules(answer) == {"git.history_rewrite"}
	open := decision with input as case.in_the_open([case.effect({"action": "none"})], summary)
	open.verdict == "allow"
}

test_the_threshold_is_data if {
	question := case.asks([case.table("delete", "jobs", {"scope": "bounded", "limit": 5})], {})
	answer := decision with input as question with data.thresholds.rows.write as 4
	case.rules(answer) == {"sql.bulk_delete"}
}

test_a_batch_is_counted_together if {
	jobs := case.table("delete", "jobs", {})
	others := {"action": "delete", "system": "postgresql", "name": "jobs", "rows": 99}
	below := decision with input as case.asks([jobs], {"batch": [others]})
	below.verdict == "allow"
	above := decision with input as case.asks([jobs], {"batch": [object.union(others, {"rows": 100})]})
	case.rules(above) == {"sql.bulk_delete"}
	elsewhere := decision with input as case.asks([jobs], {"batch": [object.union(others, {"rows": 100, "name": "events"})]})
	elsewhere.verdict == "allow"
}

test_the_message_says_what_and_how_much if {
	effect := case.table("delete", "customers", {"scope": "all", "why": "no_predicate", "resource": {"schema": "public"}})
	answer := decision with input as case.asks([effect], {})
	answer.reasons == [{
		"rule": "sql.bulk_delete",
		"severity": "critical",
		"effect": 0,
		"message": "DELETE on public.customers has no WHERE clause: it would remove every row.",
		"controls": ["soc2:CC6.1", "soc2:A1.2", "nist:AC-3", "nist:SI-7"],
		"remedy": {
			"hint": "Name the rows by their key, or take them in small steps, or ask for a grant.",
			"grantRequest": "/v1/grants",
		},
	}]
}
