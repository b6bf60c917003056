# METADATA
# title: The shipped policies
# description: >-
#   Gathers what each topic says. One line per set and topic, and one package below `data.guardrails`,
#   because the entry point looks into every package there: a topic more costs a call, not a search.
package guardrails["default"]

deny contains reason if some reason in data.standard.destruction.deny

deny contains reason if some reason in data.standard.execution.deny

deny contains reason if some reason in data.standard.exfiltration.deny

deny contains reason if some reason in data.standard.guard.deny

deny contains reason if some reason in data.standard.masking.deny

deny contains reason if some reason in data.standard.privilege.deny

deny contains reason if some reason in data.standard.secrets.deny

deny contains reason if some reason in data.standard.session.deny

mask contains column if some column in data.standard.masking.mask

allow contains reason if some reason in data.standard.standing.allow

allow contains reason if some reason in data.standard.waivers.allow
