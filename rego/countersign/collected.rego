# What the policies say: the shipped topics by name, and every package `guardrails.<own>` that a bundle
# adds. The shipped ones are not found by a search, because a search over them costs more than half of
# their rules; `rego/controls.ts` checks that none is forgotten. Packages of bundles are one name below
# `guardrails`: a search two names deep would reach a bundle's tests, which ask for the decision.
package countersign.collected

import data.countersign.words

# Lists, because a set would compare what is different anyway. Every rule of the shipped topics starts
# from a grave effect, or from what makes the result remarkable; without either none of them is asked.
denied := array.concat(
	[reason | some reason in data.guardrails[_].deny],
	[reason |
		words.remarkable
		some topic in [
			data.standard.destruction.deny,
			data.standard.execution.deny,
			data.standard.exfiltration.deny,
			data.standard.guard.deny,
			data.standard.masking.deny,
			data.standard.privilege.deny,
			data.standard.secrets.deny,
			data.standard.session.deny,
		]
		some reason in topic
	],
)

masked contains mask if some mask in data.guardrails[_].mask

masked contains mask if {
	words.remarkable
	some mask in data.standard.masking.mask
}

obliged contains duty if some duty in data.guardrails[_].oblige

allowed := array.concat(
	array.concat(
		[reason | some reason in data.standard.standing.allow],
		[reason | some reason in data.guardrails[_].allow],
	),
	[reason |
		input.intent.opaque_reasons[0]
		some reason in data.standard.waivers.allow
	],
)
