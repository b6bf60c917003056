package standard.standing_test

import data.countersign.case
import data.countersign.decision

# What each type of actor may do in a protected environment without asking.
effects := {
	"read": case.table("read", "orders", {"scope": "all"}),
	"read unknown": case.table("read", "orders", {"sensitivity": "unknown"}),
	"change one row": case.table("update", "orders", {}),
	"change few rows": case.table("delete", "orders", {"scope": "bounded", "limit": 100}),
	"add one row": case.table("insert", "orders", {}),
	"add many rows": case.table("insert", "orders", {"scope": "bulk"}),
	"create a table": case.table("create", "orders", {"resource": {"type": "table"}}),
	"alter a table": case.table("alter", "orders", {}),
	"revoke": case.table("revoke", "app", {"resource": {"type": "role"}}),
	"reach a host": case.file("network", "https://example.com", {"resource": {"type": "url"}}),
	"lock": case.table("lock", "orders", {}),
	"import": case.table("import", "orders", {"scope": "bulk"}),
	"a file of the workspace": case.file("write", "/srv/app/notes.md", {}),
	"a new folder of the workspace": case.file("create", "/srv/app/new", {"resource": {"type": "directory"}}),
	"a file elsewhere": case.file("write", "/etc/motd", {}),
	"a file beside the workspace": case.file("write", "/srv/app-2/x", {}),
	"out of the workspace": case.file("write", "/srv/app/../x", {}),
	"on another host": case.file("write", "/srv/app/x", {"endpoint": {"host": "db-1"}}),
	"a file whose folder is only claimed": case.file("write", "/srv/app/notes.md", {"confidence": "inferred"}),
	"an opaque change": case.table("update", "orders", {"confidence": "opaque"}),
	"an internal export": case.table("export", "orders", {"destination": {"kind": "file", "path": "/backup/x", "trust": "internal"}}),
	"nothing": case.effect({"action": "none"}),
}

everybody := {"read", "a file of the workspace", "a new folder of the workspace", "nothing"}

services := everybody | {
	"read unknown", "change one row", "change few rows", "add one row", "an internal export",
}

may := {"agent": everybody, "human": everybody, "pipeline": services, "service": services}

test_standing[kind] if {
	some kind, rights in may
	rights == granted(kind)
}

granted(kind) := {name |
	some name, effect in effects
	answer := decision with input as case.asks([effect], case.by(kind, $"{kind}:x"))
	answer.verdict == "allow"
}

test_a_verified_role_holds_what_the_data_says if {
	standing := {"*": {"types": {}, "roles": {"analyst": ["read"]}}}
	question := case.asks([case.table("read", "orders", {})], {"actor": {"type": "human", "roles": ["analyst"]}})
	answer := decision with input as question with data.standing as standing
	answer.verdict == "allow"
}

test_a_claimed_role_holds_nothing if {
	standing := {"*": {"types": {}, "roles": {"analyst": ["read"]}}}
	question := case.asks([case.table("read", "orders", {})], {"actor": {"claimed": {"roles": ["analyst"]}}})
	answer := decision with input as question with data.standing as standing
	answer.verdict == "deny"
	case.rules(answer) == {"grant.required"}
}

test_an_environment_may_have_a_row_of_its_own if {
	standing := object.union(data.standing, {"production": {"types": {"service": ["read"]}}})
	answer := decision with input as case.asks([case.table("update", "orders", {})], {}) with data.standing as standing
	answer.verdict == "deny"
	elsewhere := object.union(
		case.asks([case.table("update", "orders", {})], {}),
		{"places": [case.place("staging", true)]},
	)
	other := decision with input as elsewhere with data.standing as standing
	other.verdict == "allow"
}

test_each_effect_is_covered_by_itself if {
	asked := [case.table("update", "orders", {}), case.table("create", "orders", {})]
	answer := decision with input as case.asks(asked, {})
	answer.verdict == "deny"
	[reason.effect | some reason in answer.reasons] == [1]
}
