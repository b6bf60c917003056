package standard.waivers_test

import data.countersign.case
import data.countersign.decision

script := case.file("execute", "/srv/app/deploy.sh", {"resource": {"type": "script"}, "scope": "unknown", "confidence": "opaque"})

waiver := {"code": "external_file", "tool": "/srv/app/deploy.sh", "owner": "user:ana", "until": "2026-12-01T00:00:00.000Z"}

question := case.unseen([script], [["external_file", 0, ["sh"]]])

test_a_waiver_lets_one_tool_through if {
	answer := decision with input as question with data.waivers as [waiver]
	answer.verdict == "allow"
	case.rules(answer) == {"waiver.listed"}
}

test_the_tool_may_be_what_led_to_it if {
	answer := decision with input as question with data.waivers as [object.union(waiver, {"tool": "sh"})]
	answer.verdict == "allow"
}

test_a_waiver_is_as_narrow_as_it_says[name] if {
	some name, change in {
		"another code": {"code": "remote_code"},
		"another tool": {"tool": "/srv/app/other.sh"},
		"another actor": {"actor": "service:other"},
		"another target": {"target": "other-db"},
		"its end": {"until": "2026-11-21T03:00:00.123Z"},
		"no end": {"until": null},
		"no owner": {"owner": null},
	}
	answer := decision with input as question with data.waivers as [object.union(waiver, change)]
	answer.verdict == "deny"
	"command.opaque" in case.rules(answer)
}

test_a_waiver_covers_nothing_but_what_runs if {
	effect := object.union(script, {"action": "delete", "scope": "all"})
	answer := decision with input as case.unseen([effect], [["external_file", 0, []]]) with data.waivers as [waiver]
	answer.verdict == "deny"
}

task(name) := case.file("execute", name, {"resource": {"type": "task"}, "scope": "unknown", "confidence": "opaque"})

runs(name) := object.union(case.unseen([task(name)], [["external_file", 0, []]]), {"target": {"cwd": "/srv/app/web"}})

test_everyday_tasks_of_services_run_in_the_workspace[name] if {
	some name in ["npm test", "make build", "go vet"]
	answer := decision with input as runs(name)
	answer.verdict == "allow"
	case.rules(answer) == {"waiver.runner"}
}

test_other_tasks_do_not[name] if {
	some name in ["npm publish", "make", "npm test deploy", "other test"]
	answer := decision with input as runs(name)
	answer.verdict == "deny"
}

test_nor_outside_the_workspace if {
	answer := decision with input as object.union(runs("npm test"), {"target": {"cwd": "/srv/application"}})
	answer.verdict == "deny"
}

test_nor_where_the_folder_is_only_claimed if {
	answer := decision with input as object.union(runs("npm test"), {"caller": {"scopes": ["decide"]}})
	answer.verdict == "deny"
}

test_agents_never_in_protected_places[sandboxed] if {
	some sandboxed in [true, false]
	asked := object.union_n([runs("npm test"), case.by("agent", "agent:a"), {"target": {"facts": {"sandboxed": sandboxed}}}])
	answer := decision with input as asked
	answer.verdict == "deny"
}

test_people_in_a_sandbox if {
	asked := object.union_n([runs("npm test"), case.by("human", "user:a"), {"target": {"facts": {"sandboxed": true}}}])
	answer := decision with input as asked
	answer.verdict == "allow"
}

test_anybody_in_the_open if {
	asked := object.union_n([
		runs("npm test"),
		case.by("agent", "agent:a"),
		{"places": [case.place("development", false)], "target": {"environment": "development"}},
	])
	answer := decision with input as asked
	answer.verdict == "allow"
}
