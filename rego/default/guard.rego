# METADATA
# title: The guard itself
# description: >-
#   Audit, logging, triggers, row security, and this service: whoever can switch them off can do the rest
#   unseen. No grant and no exception lifts these rules.
package standard.guard

import data.countersign.words

# METADATA
# title: A setting that guards
# description: >-
#   Logging, auditing, row security and replication role decide what is recorded and which triggers and
#   keys are checked.
# custom:
#   rule: guard.setting
#   severity: critical
#   ungrantable: true
#   controls: ["soc2:CC7.2", "nist:AU-9", "nist:CM-5"]
deny contains words.final_reason("guard.setting", i, message, hint) if {
	some i, effect in words.grave.config
	name := lower(effect.resource.name)
	guarding(name)
	words.holds("guard.setting", i)
	message := $"{name} decides what is checked or recorded in {words.place(i)}: who changes it can act unseen."
	hint := "Leave it as it is; change it through the operators of the system if it has to be."
}

# METADATA
# title: Protection switched off
# description: Triggers, row security, constraints or audit of a thing are disabled or dropped.
# custom:
#   rule: guard.disable
#   severity: critical
#   ungrantable: true
#   controls: ["soc2:CC7.2", "nist:AU-9", "nist:AC-3"]
deny contains words.final_reason("guard.disable", i, message, hint) if {
	some i, effect in words.grave.alter
	effect.scope == "all"
	count(effect.resource.columns) == 0
	words.holds("guard.disable", i)
	message := $"This switches off a protection of {words.what(effect)} in {words.place(i)} as a whole."
	hint := "Keep it on; write the change so that triggers, policies and constraints hold."
}

# METADATA
# title: Audit tampered with
# description: The analysis found that the command changes what is recorded.
# custom:
#   rule: guard.audit
#   severity: critical
#   ungrantable: true
#   controls: ["soc2:CC7.2", "nist:AU-9", "nist:AU-12"]
deny contains words.final_reason("guard.audit", null, message, hint) if {
	"audit_tamper" in input.intent.summary.categories
	words.anywhere("guard.audit")
	message := $"This changes what {input.target.id} records of what is done to it."
	hint := "Leave audit and logging as they are."
}

# METADATA
# title: The service's own things
# description: >-
#   Changes to what the data names as the guard's own: this service's tables, files and processes, the
#   audit daemon, the system's logs.
# custom:
#   rule: guard.own
#   severity: critical
#   ungrantable: true
#   controls: ["soc2:CC7.2", "nist:AU-9", "nist:CM-5"]
deny contains words.final_reason("guard.own", i, message, hint) if {
	some action, effects in words.grave
	not action in {"none", "read"}
	some i, effect in effects
	words.guards(effect.resource)
	words.holds("guard.own", i)
	message := $"{words.thing(effect)} belongs to what watches over {words.place(i)}, and this would {words.verb(effect.action)} it."
	hint := "Leave it alone; its operators change it."
}

guarding(name) if data.guard.settings[name]

guarding(name) if {
	some prefix in data.guard.setting_prefixes
	startswith(name, prefix)
}
