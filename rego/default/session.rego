# METADATA
# title: Session state
# description: What outlives its command and changes how a later one is read.
package standard.session

import data.countersign.words

# METADATA
# title: State that a later command inherits
# description: >-
#   Search path, role, parser settings, temporary objects that shadow, aliases, PATH: the next command in
#   the same session would not mean what it says. Where every command has a session of its own, as the
#   target's verified facts say, nothing is inherited.
# custom:
#   rule: session.state
#   severity: high
#   controls: ["soc2:CC6.1", "nist:AC-3", "nist:SC-23"]
deny contains words.reason("session.state", i, message, hint) if {
	some i, effect in words.grave.config
	effect.resource.type == "session"
	not input.target.session == "fresh"
	words.holds("session.state", i)
	message := $"This changes {words.thing(effect)} for the rest of the session: later commands would not do what they seem to."
	hint := "Use SET LOCAL in one transaction with the statement that needs it, or open a session for each command."
}
