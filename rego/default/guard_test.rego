package standard.guard_test

import data.countersign.case
import data.countersign.decision

setting(name) := case.effect({
	"action": "config",
	"resource": {"type": "setting", "name": name},
	"scope": "all",
})

test_settings_that_guard_stay[name] if {
	some name in ["session_replication_role", "ROW_SECURITY", "log_statement", "pgaudit.log", "shared_preload_libraries"]
	answer := decision with input as case.asks([setting(name)], {})
	case.rules(answer) == {"guard.setting"}
	not answer.reasons[0].remedy.grantRequest
}

test_other_settings_need_a_grant[name] if {
	some name in ["work_mem", "logical_decoding_work_mem"]
	answer := decision with input as case.asks([setting(name)], {})
	case.rules(answer) == {"grant.required"}
}

test_protection_is_not_switched_off if {
	effect := case.table("alter", "orders", {"scope": "all", "why": "disables_triggers"})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"guard.disable"}
}

test_other_definitions_need_a_grant if {
	answer := decision with input as case.asks([case.table("alter", "orders", {})], {})
	case.rules(answer) == {"grant.required"}
}

tampers := {"intent": {"summary": {"categories": ["audit_tamper"]}}}

test_what_is_recorded_stays if {
	answer := decision with input as case.asks([case.table("delete", "audit_log", {})], tampers)
	case.rules(answer) == {"guard.audit"}
	open := decision with input as case.in_the_open([case.table("delete", "audit_log", {})], tampers)
	case.rules(open) == {"guard.audit"}
}

test_the_guard_s_own_things_stay[name] if {
	some name, effect in {
		"its tables": case.table("delete", "leaf", {"resource": {"schema": "countersign"}}),
		"by name": case.table("update", "countersign_leaf", {}),
		"its files": case.file("write", "/etc/countersign/keys.json", {}),
		"the audit daemon": case.file("process", "auditd", {"resource": {"type": "service"}}),
		"the logs": case.file("delete", "/var/log/auth.log", {}),
	}
	answer := decision with input as case.asks([effect], {})
	"guard.own" in case.rules(answer)
	open := decision with input as case.in_the_open([effect], {})
	"guard.own" in case.rules(open)
}

test_the_guard_s_own_things_may_be_read[name] if {
	some name, effect in {
		"its tables": case.table("read", "leaf", {"resource": {"schema": "countersign"}}),
		"the logs": case.file("read", "/var/log/auth.log", {}),
	}
	answer := decision with input as case.asks([effect], {})
	answer.verdict == "allow"
}
