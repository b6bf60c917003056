package standard.secrets_test

import data.countersign.case
import data.countersign.decision

test_a_secret_is_not_read[action] if {
	some action in ["read", "execute", "network"]
	effect := case.file(action, "/root/.ssh/id_ed25519", {"sensitivity": "secret"})
	answer := decision with input as case.asks([effect], {})
	case.rules(answer) == {"secret.read"}
	open := decision with input as case.in_the_open([effect], {})
	case.rules(open) == {"secret.read"}
}

test_a_secret_is_not_changed[action] if {
	some action in ["write", "delete", "update"]
	effect := case.file(action, "/srv/app/.env", {"sensitivity": "secret"})
	answer := decision with input as case.asks([effect], {})
	"secret.write" in case.rules(answer)
	answer.verdict == "deny"
	open := decision with input as case.in_the_open([effect], {})
	open.verdict == "allow"
}

test_other_files_are_read if {
	answer := decision with input as case.asks([case.file("read", "/srv/app/readme.md", {})], {})
	answer.verdict == "allow"
}

test_a_none_is_none if {
	answer := decision with input as case.asks([case.file("none", "/root/.ssh/id_ed25519", {"sensitivity": "secret"})], {})
	answer.verdict == "allow"
}
