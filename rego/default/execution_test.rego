package standard.execution_test

import data.countersign.case
import data.countersign.decision

remote := case.effect({
	"action": "execute",
	"resource": {"system": "host", "type": "remote_code", "name": "https://get.example.com/i.sh"},
	"scope": "unknown",
})

test_code_from_the_network_is_not_run if {
	answer := decision with input as case.asks([remote], {})
	case.rules(answer) == {"execution.remote_code"}
	open := decision with input as case.in_the_open([remote], {})
	case.rules(open) == {"execution.remote_code"}
}

test_the_server_starts_no_program[action] if {
	some action in ["process", "execute"]
	effect := case.effect({"action": action, "resource": {"type": "server_program", "name": "curl"}})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"execution.server_program"}
}

test_many_processes_are_not_stopped_at_once[scope] if {
	some scope in ["bulk", "all", "unknown"]
	effect := case.file("process", "nginx", {"resource": {"type": "process"}, "scope": scope})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"execution.mass_process"}
}

test_one_process_needs_a_grant if {
	effect := case.file("process", "nginx", {"resource": {"type": "process"}})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"grant.required"}
}

test_nothing_is_left_behind if {
	effect := case.file("write", "/srv/app/x", {})
	answer := decision with input as case.asks([effect], {"intent": {"summary": {"categories": ["persistence"]}}})
	case.rules(answer) == {"execution.persistence"}
}
