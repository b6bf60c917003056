# METADATA
# title: The decision
# description: >-
#   Any deny wins, what could not be seen denies, masks mask, and in a protected environment each effect
#   needs an allow that names it. Nothing that a bundle says makes this weaker.
package countersign

import data.countersign.collected
import data.countersign.words

# Denied when the rules below do not come to a verdict, which they should always do.
default decision := {
	"verdict": "deny",
	"reasons": [{
		"rule": "policy.undefined",
		"severity": "high",
		"effect": null,
		"message": "The policies came to no verdict. What is not decided is denied.",
		"controls": [],
	}],
	"masks": [],
	"obligations": [],
}

# METADATA
# title: The verdict with its reasons
# description: What the service evaluates. Its verdict is always one of allow, deny and mask.
# entrypoint: true
decision := denial if {
	count(refused) > 0
} else := denial if {
	count(open_questions) > 0
} else := {"verdict": "allow", "reasons": in_order(allowing), "masks": [], "obligations": duties(collected.obliged)} if {
	count(collected.masked) == 0
} else := {"verdict": "mask", "reasons": in_order(masking), "masks": masks, "obligations": duties(collected.obliged)}

denial := {"verdict": "deny", "reasons": in_order(refused | wanting), "masks": [], "obligations": []}

# Every deny, but for what an exception lifts.
refused contains whole(reason) if {
	some reason in collected.denied
	not lifted(reason)
}

# METADATA
# title: The target is not what the request says
# description: Found by the service before any policy. The data pins what a target is.
# custom:
#   rule: target.mismatch
#   severity: high
#   controls: ["soc2:CC6.1", "nist:AC-3", "nist:CM-8"]
refused contains own(check.rule, null, check.message, {"hint": check.hint}) if {
	some check in input.checks
	check.rule == "target.mismatch"
}

# METADATA
# title: The command's language does not fit the target
# description: Found by the service before any policy, with whatever else it checks there.
# custom:
#   rule: target.dialect
#   severity: high
#   controls: ["nist:SI-10"]
refused contains own(check.rule, null, check.message, {"hint": check.hint}) if {
	some check in input.checks
	check.rule != "target.mismatch"
}

# METADATA
# title: A command that cannot be read
# description: Nobody can say what it would do, so it is denied, in every environment.
# custom:
#   rule: command.malformed
#   severity: high
#   controls: ["soc2:CC6.8", "nist:SI-10"]
refused contains own("command.malformed", null, message, remedy) if {
	not input.intent.parse.ok == true
	message := $"The command could not be read as {input.intent.language}, so nobody can say what it would do."
	remedy := {"hint": "Correct the command and ask again; what cannot be read is never allowed."}
}

# METADATA
# title: Nothing to allow
# description: A command without effects is one that was not understood.
# custom:
#   rule: policy.uncovered
#   severity: high
#   controls: ["soc2:CC6.1", "nist:AC-3"]
refused contains own("policy.uncovered", null, message, remedy) if {
	count(input.intent.effects) == 0
	message := "The analysis names no effect at all, so there is nothing that could be allowed."
	remedy := {"hint": "Send a command that does something."}
}

# The effects that nothing allows, where an allow is needed.
open_questions contains i if {
	some i, effect in input.intent.effects
	not covered[i]
	effect.action != "none"
	not words.open(i)
}

covered contains reason.effect if {
	some reason in collected.allowed
	is_string(reason.rule)
	not reason.opaque
}

covered contains reason.effect if {
	some reason in collected.denied
	lifted(reason)
}

# Said only where nothing else was said of that effect or of the whole command: the verdict is deny
# either way, and a list of all that is not allowed hides what matters.
#
# METADATA
# title: No standing privilege
# description: In a protected environment a right is lent when it is needed, and not kept.
# custom:
#   rule: grant.required
#   severity: medium
#   controls: ["soc2:CC6.1", "soc2:CC6.3", "nist:AC-2", "nist:AC-6"]
wanting contains own("grant.required", i, message, remedy) if {
	some i in open_questions
	not spoken_of[i]
	not spoken_of[null]
	grantable(i)
	effect := input.intent.effects[i]
	message := concat("", [
		$"{input.actor.id} has no standing right to {words.verb(effect.action)} {words.what(effect)}",
		$" (scope: {effect.scope}) in {words.place(i)}: such a right is lent when it is needed, not kept.",
	])
	remedy := {"hint": "Ask for a grant that names this effect.", "grantRequest": "/v1/grants"}
}

wanting contains own("policy.uncovered", i, message, remedy) if {
	some i in open_questions
	not spoken_of[i]
	not spoken_of[null]
	not grantable(i)
	effect := input.intent.effects[i]
	message := $"No policy allows to {words.verb(effect.action)} {words.what(effect)} in {words.place(i)}, and what is not allowed there is denied."
	remedy := {"hint": "Say it with a command whose effect can be seen, or have a policy written for it."}
}

spoken_of contains reason.effect if some reason in refused

# What could be lent: an effect that is known for what it is, under policies that know of standing rights.
grantable(i) if {
	data.standing
	input.intent.effects[i].action != "unknown"
	input.intent.effects[i].confidence != "opaque"
}

# An allow's reasons: the allows that cover its effects, the waivers and the exceptions.
allowing := array.concat(
	[granting(reason) | some reason in collected.allowed; is_string(reason.rule); names_something(reason)],
	[exception_reason(reason) | some reason in collected.denied],
)

# An allow that does not say how much it matters does not matter much.
granting(reason) := whole(reason) if {
	reason.severity
} else := whole(object.union(reason, {"severity": "info"}))

names_something(reason) if input.intent.effects[reason.effect]

names_something(reason) if is_string(reason.opaque)
