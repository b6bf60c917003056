# METADATA
# title: Privilege
# description: Who may do what, and under whose name something runs.
package standard.privilege

import data.countersign.words

# METADATA
# title: Administrator's rights
# description: >-
#   A rank that is above all rules (superuser, owner, administrator, privileged containers) is given or
#   taken up. Holds in unprotected environments too.
# custom:
#   rule: privilege.escalation
#   severity: critical
#   controls: ["soc2:CC6.3", "nist:AC-2", "nist:AC-6"]
deny contains words.reason("privilege.escalation", i, message, hint) if {
	some effects in words.grave
	some i, effect in effects
	ranks_above(effect)
	effect.action != "revoke"
	words.holds("privilege.escalation", i)
	message := $"This gives {gains(effect)} the rank {effect.privilege.level}, which no other rule can hold back."
	hint := "Grant the one right that is needed, or ask for a grant."
}

# METADATA
# title: Rights given
# description: A grant of rights outlives the task that asked for it.
# custom:
#   rule: privilege.grant
#   severity: high
#   controls: ["soc2:CC6.2", "soc2:CC6.3", "nist:AC-2", "nist:AC-6"]
deny contains words.reason("privilege.grant", i, message, hint) if {
	some i, effect in words.grave.grant
	not ranks_above(effect)
	words.holds("privilege.grant", i)
	message := $"This gives {gains(effect)} {rights(effect)} in {words.place(i)}, and they stay after the task is done."
	hint := "Change rights through a reviewed change, or ask for a grant."
}

# METADATA
# title: Run as somebody above the rules
# description: What runs as root, as the database's owner or as the system is held back by nothing below.
# custom:
#   rule: privilege.run_as
#   severity: high
#   controls: ["soc2:CC6.3", "nist:AC-6"]
deny contains words.reason("privilege.run_as", i, message, hint) if {
	some effects in words.grave
	some i, effect in effects
	name := effect.privilege.run_as
	is_string(name)
	data.privilege.identities[lower(name)]
	effect.action != "none"
	words.holds("privilege.run_as", i)
	message := $"This runs as {name}: {effect.action} on {words.thing(effect)} would be held back by no permission."
	hint := "Run it under the service's own name, or ask for a grant."
}

ranks_above(effect) if {
	is_string(effect.privilege.level)
	data.privilege.levels[lower(effect.privilege.level)]
}

gains(effect) := effect.privilege.grantee if {
	is_string(effect.privilege.grantee)
} else := effect.resource.name

rights(effect) := $"{concat(", ", effect.privilege.privileges)} on {effect.privilege.on}" if {
	count(effect.privilege.privileges) > 0
	is_string(effect.privilege.on)
} else := concat(", ", effect.privilege.privileges) if {
	count(effect.privilege.privileges) > 0
} else := "rights"
