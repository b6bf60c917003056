# What the policies below `data.guardrails` say, up to three names deep: `guardrails.acme`,
# `guardrails.acme.billing`, `guardrails.acme.billing.refunds`.
package countersign

denied contains reason if some reason in data.guardrails[_].deny

denied contains reason if some reason in data.guardrails[_][_].deny

denied contains reason if some reason in data.guardrails[_][_][_].deny

masked contains mask if some mask in data.guardrails[_].mask

masked contains mask if some mask in data.guardrails[_][_].mask

masked contains mask if some mask in data.guardrails[_][_][_].mask

obliged contains duty if some duty in data.guardrails[_].oblige

obliged contains duty if some duty in data.guardrails[_][_].oblige

obliged contains duty if some duty in data.guardrails[_][_][_].oblige

allowed contains reason if some reason in data.guardrails[_].allow

allowed contains reason if some reason in data.guardrails[_][_].allow

allowed contains reason if some reason in data.guardrails[_][_][_].allow
