package standard.exfiltration_test

import data.countersign.case
import data.countersign.decision

export(destination, given) := case.table("export", "orders", object.union({"scope": "all", "destination": destination}, given))

test_leaves_for_no_place_that_is_not_listed[name] if {
	some name, destination in {
		"external": {"kind": "network", "host": "x.evil.example", "trust": "external"},
		"unknown": {"kind": "object_store", "bucket": "partner-x", "trust": "unknown"},
		"a file": {"kind": "file", "path": "/tmp/u.csv", "trust": "unknown"},
		"nowhere said": null,
	}
	answer := decision with input as case.asks([export(destination, {})], {})
	answer.verdict == "deny"
	case.rules(answer) == {"exfiltration.destination"}
	open := decision with input as case.in_the_open([export(destination, {})], {})
	case.rules(open) == {"exfiltration.destination"}
}

test_stays_inside[name] if {
	some name, destination in {
		"internal": {"kind": "file", "path": "/backup/prod.dump", "trust": "internal"},
		"the caller's own output": {"kind": "stdout", "trust": "unknown"},
	}
	answer := decision with input as case.asks([export(destination, {})], {})
	answer.verdict == "allow"
	case.rules(answer) == {"standing.export"}
}

test_the_list_is_data[name] if {
	some name, destination in {
		"host": {"kind": "network", "host": "bk.corp.example", "trust": "external"},
		"bucket": {"kind": "object_store", "bucket": "prod-backup", "trust": "unknown"},
		"folder": {"kind": "file", "path": "/mnt/backup/a/b", "trust": "unknown"},
	}
	answer := decision with input as case.asks([export(destination, {})], {})
		with data.destinations.internal as ["*.corp.example", "s3://prod-backup", "/mnt/backup"]
	not "exfiltration.destination" in case.rules(answer)
}

test_the_list_is_exact[name] if {
	some name, destination in {
		"host": {"kind": "network", "host": "corp.example.evil.example", "trust": "external"},
		"suffix": {"kind": "network", "host": "evilcorp.example", "trust": "external"},
		"bucket": {"kind": "object_store", "bucket": "backup", "trust": "unknown"},
		"folder": {"kind": "file", "path": "/mnt/backup/../x", "trust": "unknown"},
	}
	answer := decision with input as case.asks([export(destination, {})], {})
		with data.destinations.internal as ["*.corp.example", "s3://prod-backup", "/mnt/backup"]
	case.rules(answer) == {"exfiltration.destination"}
}

shows(scope, limit, kind) := case.asks(
	[case.table("read", "people", {"scope": scope, "limit": limit, "sensitivity": "sensitive"})],
	{"lineage": case.lineage([case.column(0, "email", kind, [["people", "email", "sensitive"]])], [])},
)

test_sensitive_data_does_not_leave_in_bulk[name] if {
	some name, question in {
		"every row": shows("all", null, "plain"),
		"a filter": shows("bulk", null, "plain"),
		"above the threshold": shows("bounded", 1001, "plain"),
		"an extreme of it": shows("all", null, "aggregate"),
		"computed from it": shows("bulk", null, "derived"),
		"of a table that no effect reads": object.union(shows("single", null, "plain"), {"intent": {"effects": [
			case.table("read", "other", {"sensitivity": "sensitive"}),
		]}}),
	}
	answer := decision with input as question
	answer.verdict == "deny"
	case.rules(answer) == {"exfiltration.bulk_sensitive_read"}
}

test_a_few_rows_are_masked[name] if {
	some name, question in {
		"one": shows("single", null, "plain"),
		"up to the threshold": shows("bounded", 1000, "plain"),
	}
	answer := decision with input as question
	answer.verdict == "mask"
}

test_counting_shows_nothing if {
	answer := decision with input as shows("all", null, "count")
	answer.verdict == "allow"
}

test_reads_of_one_table_add_up if {
	question := shows("bounded", 600, "plain")
	twice := array.concat(question.intent.effects, question.intent.effects)
	answer := decision with input as object.union(question, {"intent": {"effects": twice}, "places": [case.place("production", true), case.place("production", true)]})
	case.rules(answer) == {"exfiltration.bulk_sensitive_read"}
}

unknown := [case.table("read", "elsewhere", {"sensitivity": "unknown"})]

test_what_is_not_known_is_not_harmless_for_agents_and_people[id] if {
	some id, kind in {"agent:a": "agent", "user:b": "human"}
	answer := decision with input as case.asks(unknown, case.by(kind, id))
	answer.verdict == "deny"
	case.rules(answer) == {"exfiltration.unknown_sensitivity"}
	open := decision with input as case.in_the_open(unknown, case.by(kind, id))
	open.verdict == "allow"
}

test_services_read_what_is_not_known if {
	answer := decision with input as case.asks(unknown, {})
	answer.verdict == "allow"
}
