# What the policies say: the shipped topics by name, and every package `guardrails.<own>` that a bundle
# adds. The shipped ones are not found by a search, because a search over them costs more than half of
# their rules; `rego/controls.ts` checks that none is forgotten. Packages of bundles are one name below
# `guardrails`: a search two names deep would reach a bundle's tests, which ask for the decision.
package countersign.collected

import data.countersign.words

denied contains reason if some reason in data.guardrails[_].deny

# Every rule of these topics starts from a grave effect, or from what makes the result remarkable.
denied contains reason if {
	words.remarkable
	some reason in of_the_remarkable
}

of_the_remarkable contains reason if some reason in data.standard.destruction.deny

of_the_remarkable contains reason if some reason in data.standard.execution.deny

of_the_remarkable contains reason if some reason in data.standard.exfiltration.deny

of_the_remarkable contains reason if some reason in data.standard.guard.deny

of_the_remarkable contains reason if some reason in data.standard.masking.deny

of_the_remarkable contains reason if some reason in data.standard.privilege.deny

of_the_remarkable contains reason if some reason in data.standard.secrets.deny

of_the_remarkable contains reason if some reason in data.standard.session.deny

masked contains mask if some mask in data.guardrails[_].mask

masked contains mask if {
	words.remarkable
	some mask in data.standard.masking.mask
}

obliged contains duty if some duty in data.guardrails[_].oblige

# A list, because a set would compare what is different anyway.
allowed := array.concat([reason | some reason in data.standard.standing.allow], [reason | some reason in lent])

lent contains reason if some reason in data.guardrails[_].allow

lent contains reason if {
	input.intent.opaque_reasons[0]
	some reason in data.standard.waivers.allow
}
