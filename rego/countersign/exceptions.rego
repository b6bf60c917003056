# Exceptions: rows of data with an owner and an end that lift one rule's deny, for one target and one
# kind of resource. What is lifted counts as allowed, and the row is the reason.
package countersign

import data.countersign.words

lifted(reason) if exception_for(reason)

exception_for(reason) := row if {
	some row in data.exceptions
	row.rule == reason.rule
	not final(reason.rule)
	words.in_time(row.until)
	is_string(row.owner)
	effect := input.intent.effects[reason.effect]
	effect.confidence != "opaque"
	words.fits(row.resource, effect.resource.name)
	row.target
	words.about(row, reason.effect)
}

# METADATA
# title: An exception of the data
# description: Somebody answers for lifting one rule, for one target and resource, until a day.
# custom:
#   rule: policy.excepted
#   severity: medium
#   controls: ["soc2:CC3.4", "nist:CA-5", "nist:RA-7"]
exception_reason(reason) := words.cover("policy.excepted", reason.effect, message) if {
	row := exception_for(reason)
	message := $"{row.owner} has excepted {row.resource} on {row.target} from {row.rule} until {row.until}."
}

# The guard makes no exceptions of itself.
final(rule) if startswith(rule, "guard.")
