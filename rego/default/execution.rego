# METADATA
# title: Execution
# description: Programs, code from elsewhere, and what keeps running.
package standard.execution

import data.countersign.words

# METADATA
# title: Code from the network
# description: >-
#   What runs is decided by whoever answers at that address at that moment. Holds in unprotected
#   environments too.
# custom:
#   rule: execution.remote_code
#   severity: critical
#   controls: ["soc2:CC6.8", "nist:SI-3", "nist:SI-7", "nist:CM-7"]
deny contains words.reason("execution.remote_code", i, message, hint) if {
	some i, effect in words.grave.execute
	effect.resource.type == "remote_code"
	words.holds("execution.remote_code", i)
	message := $"This runs whatever {words.thing(effect)} answers at that moment{under(effect)}."
	hint := "Fetch the script first, read it, and send its text along as an attachment with its digest."
}

# METADATA
# title: Program started by a database server
# description: COPY … PROGRAM, untrusted languages and the like run with the rights of the server itself.
# custom:
#   rule: execution.server_program
#   severity: critical
#   controls: ["soc2:CC6.8", "nist:CM-7", "nist:AC-6"]
deny contains words.reason("execution.server_program", i, server_program(effect), server_program_hint) if {
	some i, effect in words.grave.process
	effect.resource.type == "server_program"
	words.holds("execution.server_program", i)
}

deny contains words.reason("execution.server_program", i, server_program(effect), server_program_hint) if {
	some i, effect in words.grave.execute
	effect.resource.type == "server_program"
	words.holds("execution.server_program", i)
}

# METADATA
# title: Many processes at once
# description: Signals and stops that reach processes whose number nothing bounds.
# custom:
#   rule: execution.mass_process
#   severity: high
#   controls: ["soc2:A1.2", "nist:SC-5"]
deny contains words.reason("execution.mass_process", i, message, hint) if {
	some i, effect in words.grave.process
	effect.scope in {"bulk", "all", "unknown"}
	words.holds("execution.mass_process", i)
	message := $"This stops or signals {words.what(effect)} in {words.place(i)}, and nothing bounds how many."
	hint := "Name the one process."
}

# METADATA
# title: Persistence
# description: Something is left behind that runs again later (schedules, start-up files, hooks).
# custom:
#   rule: execution.persistence
#   severity: high
#   controls: ["soc2:CC6.8", "nist:CM-5", "nist:SI-7"]
deny contains words.reason("execution.persistence", null, message, hint) if {
	"persistence" in input.intent.summary.categories
	words.anywhere("execution.persistence")
	message := $"This leaves something behind on {input.target.id} that runs again later, when nobody is asked."
	hint := "Put it into the system's reviewed configuration."
}

server_program(effect) := $"This makes the database server run {words.thing(effect)} on its own host, with its own rights."

server_program_hint := "Run the program where the client is, on data that the client reads."

under(effect) := $", as {effect.privilege.run_as}" if {
	is_string(effect.privilege.run_as)
} else := ""
