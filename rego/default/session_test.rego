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

test_in_the_open_sessions_are_free if {
	answer := decision with input as case.in_the_open(state, {})
	answer.verdict == "allow"
}
