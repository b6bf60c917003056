# Masks and obligations: only what can be carried out as it is asked leaves the policy.
package countersign

import data.countersign.collected
import data.countersign.words

# METADATA
# title: A policy that asks for what cannot be done
# description: What a policy says has to be carried out as it stands, or the answer is deny.
# custom:
#   rule: policy.ill_typed
#   severity: high
#   controls: ["nist:SI-10"]
refused contains own("policy.ill_typed", null, message, {"hint": "Ask the author of the policy."}) if {
	some mask in collected.masked
	not sound_mask(mask)
	message := $"A policy asks for a mask that this result cannot be given: {mask}."
}

refused contains own("policy.ill_typed", null, message, {"hint": "Ask the author of the policy."}) if {
	some duty in collected.obliged
	not sound_duty(duty)
	message := $"A policy asks for something that is no obligation: {duty}."
}

# What is no set is not looked into: a policy that says `deny := true` means to deny.
refused contains own("policy.ill_typed", null, "A policy's deny is no set.", {"hint": "Ask the author of the policy."}) if {
	said := data.guardrails[_].deny
	not is_set(said)
}

refused contains own("policy.ill_typed", null, "A policy's mask is no set.", {"hint": "Ask the author of the policy."}) if {
	said := data.guardrails[_].mask
	not is_set(said)
}

refused contains own("policy.ill_typed", null, "A policy's oblige is no set.", {"hint": "Ask the author of the policy."}) if {
	said := data.guardrails[_].oblige
	not is_set(said)
}

# The column has to be there, under that name, in a result whose columns are all known.
sound_mask(mask) if {
	is_string(mask.rule)
	is_string(mask.source)
	strictness[mask.method]
	is_object(object.get(mask, "params", {}))
	input.lineage.complete == true
	input.lineage.maskable == true
	column := input.lineage.columns[mask.index]
	column.index == mask.index
	column.name == mask.field
}

sound_duty(duty) if {
	is_string(duty.id)
	is_string(duty.type)
	is_object(duty.properties)
}

duties(obliged) := [] if {
	count(obliged) == 0
} else := sort([
{"id": duty.id, "type": duty.type, "properties": duty.properties} |
	some duty in obliged
])

# One mask per column of the result: the strictest that any policy asks for.
masks := [object.union(
	{"rule": mask.rule, "index": mask.index, "field": mask.field, "source": mask.source, "method": mask.method},
	params(mask),
) |
	some index in sort(object.keys(ways))
	mask := min(ways[index])[2]
]

ways[mask.index] contains [strictness[mask.method], mask.rule, mask] if some mask in collected.masked

params(mask) := {"params": mask.params} if {
	mask.params
} else := {}

strictness := {"null": 0, "redact": 1, "hash": 2, "tokenize": 3, "partial": 4}

# One reason per rule that masks.
masking contains reason if {
	some rule in {mask.rule | some mask in masks}
	fields := concat(", ", [mask.field | some mask in masks; mask.rule == rule])
	reason := {
		"rule": rule,
		"severity": words.severity(rule),
		"effect": min({effect | some mask in collected.masked; mask.rule == rule; effect := object.get(mask, "effect", null)}),
		"message": $"Sensitive data is masked in the result before anybody sees it: {fields}.",
		"controls": words.controls(rule),
	}
}
