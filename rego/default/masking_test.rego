package standard.masking_test

import data.countersign.case
import data.countersign.decision

reads(columns, inference) := case.asks(
	[case.table("read", "people", {"sensitivity": "sensitive"})],
	{"lineage": case.lineage(columns, inference)},
)

email := ["people", "email", "sensitive"]

test_the_method_is_data[name] if {
	some name, row in {
		"by the column's name": ["email", "plain", {"method": "partial", "params": {"keep": "domain"}}],
		"by its full name": ["phone", "plain", {"method": "hash"}],
		"the default": ["born", "plain", {"method": "redact"}],
		"computed": ["email", "derived", {"method": "redact"}],
	}
	columns := [case.column(0, "x", row[1], [["people", row[0], "sensitive"]])]
	methods := {"email": {"method": "partial", "params": {"keep": "domain"}}, "people.phone": {"method": "hash"}}
	answer := decision with input as reads(columns, []) with data.sensitive.methods as methods
	answer.verdict == "mask"
	answer.masks == [object.union(
		{"rule": "masking.sensitive_column", "index": 0, "field": "x", "source": $"people.{row[0]}"},
		row[2],
	)]
}

test_masks_name_the_columns_in_their_order if {
	answer := decision with input as reads(
		[
			case.column(0, "id", "plain", [["people", "id", "none"]]),
			case.column(1, "contact", "plain", [email]),
			case.column(2, "either", "derived", [["people", "phone", "sensitive"], email]),
		],
		[],
	)
	answer.verdict == "mask"
	[[mask.index, mask.field, mask.source] | some mask in answer.masks] == [
		[1, "contact", "people.email"],
		[2, "either", "people.email, people.phone"],
	]
	case.rules(answer) == {"masking.sensitive_column"}
	contains(answer.reasons[0].message, "contact, either")
}

test_in_the_open_too if {
	open := case.in_the_open([case.table("read", "people", {"sensitivity": "sensitive"})], {"lineage": case.lineage([case.column(0, "email", "plain", [email])], [])})
	answer := decision with input as open
	answer.verdict == "mask"
}

test_what_cannot_be_masked_is_denied[name] if {
	plain := reads([case.column(0, "email", "plain", [email])], [])
	some name, question in {
		"a stream": object.union(plain, {"lineage": {"maskable": false}}),
		"columns that are not all known": object.union(plain, {"lineage": {"complete": false}}),
		"no result that could be followed": object.union(plain, {"lineage": null}),
		"a whole row": reads([case.column(0, "p", "whole_row", [["people", "*", "sensitive"]])], []),
		"a row in a function": reads([case.column(0, "f", "derived", [["people", "*", "sensitive"]])], []),
		"nobody knows what": reads([case.column(0, "f", "unknown", [email])], []),
	}
	answer := decision with input as question
	answer.verdict == "deny"
	case.rules(answer) == {"masking.not_maskable"}
}

test_what_is_learnt_without_looking_is_denied[place] if {
	some place in ["where", "order_by", "group_by", "having", "distinct", "join", "window", "limit"]
	leak := {"table": "people", "column": "email", "place": place, "proof": "none"}
	answer := decision with input as reads([case.column(0, "id", "plain", [["people", "id", "none"]])], [leak])
	answer.verdict == "deny"
	case.rules(answer) == {"masking.inference"}
}

test_a_unique_key_tells_nothing_new if {
	leak := {"table": "people", "column": "email", "place": "where", "proof": "unique_key"}
	answer := decision with input as reads([case.column(0, "id", "plain", [["people", "id", "none"]])], [leak])
	answer.verdict == "allow"
}

test_agents_need_a_grant_for_sensitive_data_masked_or_not if {
	question := object.union(reads([case.column(0, "email", "plain", [email])], []), case.by("agent", "agent:a"))
	answer := decision with input as question
	answer.verdict == "deny"
	case.rules(answer) == {"grant.required"}
}
