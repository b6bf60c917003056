# How reasons look, whoever gives them.
package countersign

import data.countersign.words

own(rule, i, message, remedy) := {
	"rule": rule,
	"severity": words.severity(rule),
	"effect": i,
	"message": message,
	"controls": words.controls(rule),
	"remedy": remedy,
}

# A reason counts however badly it is written: what is missing or wrong is filled in.
whole(reason) := reason if {
	is_object(reason)
	no_others(reason)
	is_string(reason.rule)
	is_string(reason.message)
	is_string(reason.severity)
	is_array(reason.controls)
	input.intent.effects[reason.effect]
} else := object.union(
	{
		"rule": text(reason, "rule", "policy.ill_typed"),
		"severity": weight(reason),
		"effect": effect_of(reason),
		"message": text(reason, "message", "A policy says this without a reason."),
		"controls": [control | some control in object.get(reason, "controls", []); is_string(control)],
	},
	remedy_of(reason),
) if {
	is_object(reason)
} else := own("policy.ill_typed", null, $"A policy denies this: {reason}.", {"hint": "Ask the author of the policy."})

# No members but those that a reason has.
no_others(reason) if {
	count(reason) == 5
	not reason.remedy
}

no_others(reason) if {
	count(reason) == 6
	is_string(reason.remedy.hint)
}

text(reason, key, fallback) := word if {
	word := reason[key]
	is_string(word)
} else := fallback

weight(reason) := word if {
	word := reason.severity
	rank[word]
} else := "high"

effect_of(reason) := i if {
	i := reason.effect
	input.intent.effects[i]
} else := null

remedy_of(reason) := {"remedy": remedy} if {
	remedy := reason.remedy
	is_string(remedy.hint)
} else := {}

# The worst first, then by effect, rule and message, so that every engine gives the same bytes.
in_order(reasons) := reasons if {
	is_array(reasons)
	count(reasons) < 2
} else := sorted(reasons) if {
	is_set(reasons)
} else := sorted({reason | some reason in reasons})

sorted(reasons) := [entry[4] |
	some entry in sort([
	[rank[reason.severity], reason.effect, reason.rule, reason.message, reason] |
		some reason in reasons
	])
]

rank := {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
