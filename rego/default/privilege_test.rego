package standard.privilege_test

import data.countersign.case
import data.countersign.decision

grant(given) := case.effect({
	"action": "grant",
	"resource": {"type": "role", "name": "app"},
	"privilege": case.privilege(given),
})

test_a_rank_above_all_rules_is_not_given[level] if {
	some level in ["superuser", "SUPERUSER", "administrator", "owner"]
	answer := decision with input as case.asks([grant({"grantee": "app", "level": level})], {})
	case.rules(answer) == {"privilege.escalation"}
	open := decision with input as case.in_the_open([grant({"grantee": "app", "level": level})], {})
	case.rules(open) == {"privilege.escalation"}
}

test_other_effects_may_carry_a_rank_too if {
	effect := case.effect({
		"action": "execute",
		"resource": {"system": "docker", "type": "container", "name": "alpine"},
		"privilege": case.privilege({"level": "privileged_host"}),
	})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"privilege.escalation"}
}

test_rights_are_not_given[name] if {
	some name, effect in {
		"on a table": grant({"grantee": "app", "privileges": ["SELECT"], "on": "orders"}),
		"a lower rank": grant({"grantee": "app", "level": "member"}),
		"without words": case.effect({"action": "grant", "resource": {"type": "role", "name": "app"}}),
	}
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"privilege.grant"}
	open := decision with input as case.in_the_open([effect], {})
	open.verdict == "allow"
}

test_nothing_runs_as_root[name] if {
	some name in ["root", "postgres", "Administrator"]
	effect := case.file("read", "/srv/app/readme.md", {"privilege": case.privilege({"run_as": name})})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"privilege.run_as"}
}

test_another_name_is_no_harm if {
	effect := case.file("read", "/srv/app/readme.md", {"privilege": case.privilege({"run_as": "www-data"})})
	answer := decision with input as case.asks([effect], {})
	answer.verdict == "allow"
}

test_a_revoke_needs_a_grant_only if {
	effect := object.union(grant({"grantee": "app", "level": "superuser"}), {"action": "revoke"})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"grant.required"}
}
