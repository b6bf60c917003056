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
	some i in words.of.read
	input.intent.effects[i].sensitivity == "none"
	held("read", i)
	message := $"{input.actor.id} may read {words.thing(i)}: it holds nothing sensitive."
}

# METADATA
# title: Reads of sensitive data
# description: Reading sensitive data. What of it may be shown, and how, is decided by the masking rules.
# custom:
#   rule: standing.read_sensitive
#   severity: low
#   controls: ["soc2:CC6.1", "soc2:C1.1", "nist:AC-3", "nist:AC-6"]
allow contains words.cover("standing.read_sensitive", i, message) if {
	some i in words.of.read
	input.intent.effects[i].sensitivity in {"sensitive", "unknown"}
	held("read_sensitive", i)
	message := $"{input.actor.id} may read {words.thing(i)}; what is sensitive of it is masked."
}

# METADATA
# title: Small writes
# description: Inserts, updates and deletes that are proven to touch no more rows than the threshold.
# custom:
#   rule: standing.write
#   severity: low
#   controls: ["soc2:CC6.1", "nist:AC-3", "nist:AC-6"]
allow contains words.cover("standing.write", i, message) if {
	some action in ["insert", "update", "delete", "write"]
	some i in words.of[action]
	input.intent.effects[i].resource.system != "host"
	input.intent.effects[i].confidence != "opaque"
	held("write", i)
	words.within(i, data.thresholds.rows.write)
	message := $"{input.actor.id} may {action} {words.thing(i)}: {words.rows_together(i)} at most, proven by {proof(i)}."
}

# METADATA
# title: Work inside the workspace
# description: Making, changing and removing single files below the target's workspace.
# custom:
#   rule: standing.workspace
#   severity: low
#   controls: ["soc2:CC6.1", "nist:AC-3"]
allow contains words.cover("standing.workspace", i, message) if {
	some action in ["write", "create", "insert", "update", "delete"]
	some i in words.of[action]
	words.in_workspace(i)
	input.intent.effects[i].confidence != "opaque"
	held("workspace", i)
	words.within(i, data.thresholds.rows.write)
	message := $"{words.thing(i)} lies in the workspace {input.target.facts.workspace}, where changing files is everyday work."
}

# METADATA
# title: Exports that stay inside
# description: Copies to destinations on the list (backups), and output that only the caller sees.
# custom:
#   rule: standing.export
#   severity: low
#   controls: ["soc2:CC6.7", "nist:AC-4"]
allow contains words.cover("standing.export", i, message) if {
	some i in words.of.export
	effect := input.intent.effects[i]
	effect.sensitivity in {"none", "unknown"}
	effect.destination.trust == "internal"
	held("export", i)
	message := $"{input.actor.id} may export {words.thing(i)} to an internal destination."
}

allow contains words.cover("standing.export", i, message) if {
	some i in words.of.export
	effect := input.intent.effects[i]
	effect.sensitivity == "none"
	effect.destination.kind == "stdout"
	held("read", i)
	message := $"{input.actor.id} may read {words.thing(i)}: it holds nothing sensitive, and the output goes to the caller."
}

# METADATA
# title: Session settings in a session of its own
# description: Where each command has a fresh session, a setting ends with its command.
# custom:
#   rule: standing.session
#   severity: info
#   controls: ["nist:AC-3", "nist:SC-23"]
allow contains words.cover("standing.session", i, message) if {
	some i in words.of.config
	input.intent.effects[i].resource.type == "session"
	input.target.session == "fresh"
	held("session", i)
	message := $"{words.thing(i)} is set for this command only: the session ends with it."
}

# METADATA
# title: No effect
# description: Commands and parts of commands that change and show nothing.
# custom:
#   rule: standing.none
#   severity: info
#   controls: ["nist:AC-3"]
allow contains words.cover("standing.none", i, "This changes nothing and shows nothing that is kept.") if {
	some i in words.of.none
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

proof(i) := why if {
	why := input.intent.effects[i].why
	why != ""
} else := $"its scope ({input.intent.effects[i].scope})"
