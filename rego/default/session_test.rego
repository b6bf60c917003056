package standard.session_test

import data.countersign.case
import data.countersign.decision

state := [case.effect({"action": "config", "resource": {"type": "session", "name": "search_path"}})]

test_later_commands_inherit_nothing if {
	answer := decision with input as case.asks(state, {})
	case.rules(answer) == {"session.state"}
}

test_a_session_of_its_own_inherits_to_nobody if {
	answer := decision with input as case.asks(state, {"target": {"session": "fresh"}})
	answer.verdict == "allow"
	case.rules(answer) == {"standing.session"}
}

setting(name, why) := [case.effect({"action": "config", "resource": {"type": "setting", "name": name}, "why": why})]

test_timeouts_of_the_session_are_set[why] if {
	some why in ["set", "set_local"]
	answer := decision with input as case.asks(setting("statement_timeout", why), {})
	answer.verdict == "allow"
	case.rules(answer) == {"standing.setting"}
}

test_other_settings_need_a_grant[name] if {
	some name, effects in {
		"another": setting("work_mem", "set"),
		"of the system": setting("statement_timeout", "alter_system"),
	}
	answer := decision with input as case.asks(effects, {})
	case.rules(answer) == {"grant.required"}
}

test_in_the_open_sessions_are_free if {
	answer := decision with input as case.in_the_open(state, {})
	answer.verdict == "allow"
}
