# METADATA
# title: Standing privilege
# description: >-
#   What an actor may do in a protected environment without asking first. The data says which classes of
#   effects each type of actor, and each verified role, holds; nobody holds more than reads and small,
#   proven writes. Everything else is lent by a grant.
package standard.standing

import data.countersign.words

# METADATA
# title: Reads of what is not sensitive
# description: Reading what holds neither sensitive data nor secrets, as much of it as is asked for.
# custom:
#   rule: standing.read
#   severity: info
#   controls: ["soc2:CC6.1", "nist:AC-3"]
allow contains words.cover("standing.read", i, message) if {
	some i, effect in input.intent.effects
	effect.action == "read"
	effect.sensitivity == "none"
	held("read", i)
	message := $"{input.actor.id} may read {words.thing(effect)}: it holds nothing sensitive."
}

# METADATA
# title: Reads of sensitive data
# description: Reading sensitive data. What of it may be shown, and how, is decided by the masking rules.
# custom:
#   rule: standing.read_sensitive
#   severity: low
#   controls: ["soc2:CC6.1", "soc2:C1.1", "nist:AC-3", "nist:AC-6"]
allow contains words.cover("standing.read_sensitive", i, message) if {
	some i, effect in words.grave.read
	effect.sensitivity in ["sensitive", "unknown"]
	held("read_sensitive", i)
	message := $"{input.actor.id} may read {words.thing(effect)}; what is sensitive of it is masked."
}

# METADATA
# title: Small writes
# description: Inserts, updates and deletes that are proven to touch no more rows than the threshold.
# custom:
#   rule: standing.write
#   severity: low
#   controls: ["soc2:CC6.1", "nist:AC-3", "nist:AC-6"]
allow contains words.cover("standing.write", i, message) if {
	some i, effect in small_changes
	effect.action != "create"
	effect.resource.system != "host"
	held("write", i)
	message := $"{input.actor.id} may {effect.action} {words.thing(effect)}: proven {effect.scope}, {words.rows_together(effect)} at most."
}

# METADATA
# title: Work inside the workspace
# description: Making, changing and removing single files below the target's workspace.
# custom:
#   rule: standing.workspace
#   severity: low
#   controls: ["soc2:CC6.1", "nist:AC-3"]
allow contains words.cover("standing.workspace", i, message) if {
	some i, effect in small_changes
	words.in_workspace(effect)

	# A path that rests on a folder which the caller merely claims is inferred.
	effect.confidence == "exact"
	held("workspace", i)
	message := $"{words.thing(effect)} lies in the workspace {input.target.facts.workspace}, where changing files is everyday work."
}

# METADATA
# title: Exports that stay inside
# description: Copies to destinations on the list (backups), and output that only the caller sees.
# custom:
#   rule: standing.export
#   severity: low
#   controls: ["soc2:CC6.7", "nist:AC-4"]
allow contains words.cover("standing.export", i, message) if {
	some i, effect in words.grave.export
	effect.sensitivity in {"none", "unknown"}
	effect.destination.trust == "internal"
	held("export", i)
	message := $"{input.actor.id} may export {words.thing(effect)} to an internal destination."
}

allow contains words.cover("standing.export", i, message) if {
	some i, effect in words.grave.export
	effect.sensitivity == "none"
	effect.destination.kind == "stdout"
	held("read", i)
	message := $"{input.actor.id} may read {words.thing(effect)}: it holds nothing sensitive, and the output goes to the caller."
}

# METADATA
# title: Session settings in a session of its own
# description: Where each command has a fresh session, a setting ends with its command.
# custom:
#   rule: standing.session
#   severity: info
#   controls: ["nist:AC-3", "nist:SC-23"]
allow contains words.cover("standing.session", i, message) if {
	some i, effect in words.grave.config
	effect.resource.type == "session"
	input.target.session == "fresh"
	held("session", i)
	message := $"{words.thing(effect)} is set for this command only: the session ends with it."
}

# METADATA
# title: Settings that only limit the session itself
# description: Timeouts of one's own session, which change neither what later commands mean nor what is recorded.
# custom:
#   rule: standing.setting
#   severity: info
#   controls: ["nist:AC-3", "nist:SC-5"]
allow contains words.cover("standing.setting", i, message) if {
	some i, effect in words.grave.config
	effect.resource.type == "setting"
	effect.why in {"set", "set_local"}
	lower(effect.resource.name) in data.session.harmless
	held("session", i)
	message := $"{words.thing(effect)} limits this session alone, and is no harm to it."
}

# METADATA
# title: No effect
# description: Commands and parts of commands that change and show nothing.
# custom:
#   rule: standing.none
#   severity: info
#   controls: ["nist:AC-3"]
allow contains words.cover("standing.none", i, "This changes nothing and shows nothing that is kept.") if {
	some i, effect in input.intent.effects
	effect.action == "none"
}

# METADATA
# title: Unprotected environments
# description: Where the data says that an environment is not protected, deny rules alone decide.
# custom:
#   rule: standing.unprotected
#   severity: info
#   controls: ["nist:AC-3", "nist:CM-4"]
allow contains words.cover("standing.unprotected", i, message) if {
	some i, effect in input.intent.effects
	effect.action != "none"
	words.open(i)
	message := $"{words.place(i)} is not a protected environment, and no rule forbids this."
}

# By type of actor, or by a verified role, in the environment's own row or else in the common one.
held(class, i) if class in rights(i).types[input.actor.type]

held(class, i) if {
	some role in input.actor.roles
	class in rights(i).roles[role]
}

rights(i) := row if {
	row := data.standing[input.places[i].environment]
} else := data.standing["*"]

# Changes that stay within the threshold.
small_changes[i] := effect if {
	some i, effect in input.intent.effects
	words.changes(effect.action)
	effect.confidence != "opaque"
	little(i, effect)
}

# A plain change is known to be small.
little(i, effect) if not words.grave[effect.action][i]

little(i, effect) if {
	words.grave[effect.action][i]
	words.small(effect)
}
