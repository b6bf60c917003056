# METADATA
# title: Waivers
# description: >-
#   Rows of data that let one thing through which the analysis could not see: one code, one tool, for one
#   actor and target, until a day, by an owner. And the everyday tasks of well-known runners.
package standard.waivers

import data.countersign.words

# METADATA
# title: A waiver of the data
# description: Waives one opaque code for one tool, and covers what that tool runs.
# custom:
#   rule: waiver.listed
#   severity: medium
#   controls: ["soc2:CC3.4", "nist:CM-7", "nist:RA-7"]
allow contains object.union(words.cover("waiver.listed", unseen.effect, message), {"opaque": unseen.code}) if {
	some unseen in input.intent.opaque_reasons
	row := listed(unseen)
	message := $"{row.owner} has waived {row.code} for {row.tool} until {row.until}."
}

allow contains words.cover("waiver.listed", unseen.effect, message) if {
	some unseen in input.intent.opaque_reasons
	row := listed(unseen)
	input.intent.effects[unseen.effect].action == "execute"
	message := $"{row.owner} has waived {row.code} for {row.tool} until {row.until}."
}

# METADATA
# title: Everyday tasks of well-known runners
# description: >-
#   Building, testing and checking the workspace runs the workspace's own code. Waived in unprotected
#   environments; in protected ones for services and pipelines, or in a sandbox, and never for agents.
# custom:
#   rule: waiver.runner
#   severity: low
#   controls: ["soc2:CC8.1", "nist:CM-7"]
allow contains object.union(words.cover("waiver.runner", unseen.effect, message), {"opaque": "external_file"}) if {
	some unseen in input.intent.opaque_reasons
	runner_task(unseen)
	message := $"{words.thing(input.intent.effects[unseen.effect])} is an everyday task of the workspace."
}

allow contains words.cover("waiver.runner", unseen.effect, message) if {
	some unseen in input.intent.opaque_reasons
	runner_task(unseen)
	message := $"{words.thing(input.intent.effects[unseen.effect])} is an everyday task of the workspace."
}

listed(unseen) := row if {
	some row in data.waivers
	row.code == unseen.code
	names_tool(row.tool, unseen)
	words.in_time(row.until)
	is_string(row.owner)
	words.about(row, unseen.effect)
}

# The tool is what the effect is on, or the last of what led to it.
names_tool(tool, unseen) if input.intent.effects[unseen.effect].resource.name == tool

names_tool(tool, unseen) if unseen.via[count(unseen.via) - 1] == tool

runner_task(unseen) if {
	unseen.code == "external_file"
	effect := input.intent.effects[unseen.effect]
	effect.action == "execute"
	effect.resource.system == "host"
	effect.resource.type == "task"
	parts := split(effect.resource.name, " ")
	count(parts) == 2
	parts[1] in data.runners[parts[0]]
	in_workspace
	may_run(unseen.effect)
}

# The folder counts only from a caller that may state facts.
in_workspace if {
	"target:facts" in input.caller.scopes
	below(input.target.cwd, input.target.facts.workspace)
}

below(folder, workspace) if folder == workspace

below(folder, workspace) if words.inside(folder, workspace)

may_run(i) if words.open(i)

may_run(_) if input.actor.type in {"pipeline", "service"}

may_run(_) if {
	input.actor.type != "agent"
	input.target.facts.sandboxed == true
}
