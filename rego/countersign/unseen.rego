# What the analysis could not see. It denies, in every environment, unless a policy waives exactly it.
package countersign

import data.countersign.collected
import data.countersign.words

# METADATA
# title: What cannot be seen
# description: Part of the command is only known when it runs. Denied unless exactly that is waived.
# custom:
#   rule: command.opaque
#   severity: high
#   controls: ["soc2:CC6.8", "nist:SI-10", "nist:CM-7"]
refused contains own("command.opaque", unseen.effect, unseen_message(unseen), unseen_remedy(unseen)) if {
	some unseen in input.intent.opaque_reasons
	not waived(unseen)
	not told_as_malformed(unseen)
}

refused contains own("command.opaque", null, message, {"hint": "Split it into commands that say what they do."}) if {
	not input.intent.opaque == false
	count(input.intent.opaque_reasons) == 0
	message := "Part of the command could not be seen, and the analysis does not say which."
}

# An opaque effect that no reason explains was lost on the way.
refused contains own("command.opaque", i, message, {"hint": "Split it into commands that say what they do."}) if {
	some i, effect in input.intent.effects
	effect.confidence == "opaque"
	not explained[i]
	not explained[null]
	message := $"What this does to {words.thing(effect)} could not be seen, and the analysis does not say why."
}

explained contains unseen.effect if some unseen in input.intent.opaque_reasons

told_as_malformed(unseen) if {
	not input.intent.parse.ok == true
	unseen.code in {"parse_error", "malformed_bytes"}
}

waived(unseen) if {
	waivable(unseen)
	some reason in collected.allowed
	is_string(reason.rule)
	reason.opaque == unseen.code
	object.get(reason, "effect", unseen.effect) == unseen.effect
}

# What concerns the whole command, what was not read and what ran into a limit is never waived.
waivable(unseen) if {
	input.intent.effects[unseen.effect]
	not endswith(unseen.code, "_limit")
	not unseen.code in {"parse_error", "malformed_bytes", "parser_disagreement", "not_analyzed"}
}

unseen_message(unseen) := $"{unseen_subject(unseen)}: {unseen_because[unseen.code]}. What cannot be seen is denied ({unseen.code})." if {
	unseen_because[unseen.code]
} else := $"Part of the command cannot be seen ({unseen.code}), and what cannot be seen is denied."

unseen_subject(unseen) := $"{words.thing(input.intent.effects[unseen.effect])} in {words.place(unseen.effect)}" if {
	input.intent.effects[unseen.effect]
} else := "This command"

unseen_because := {
	"parse_error": "it could not be read",
	"malformed_bytes": "it holds bytes that hide what would run",
	"size_limit": "it is larger than what is analysed",
	"depth_limit": "commands are nested in it deeper than is analysed",
	"time_limit": "it took longer to analyse than is allowed",
	"node_limit": "it has more parts than are analysed",
	"parser_disagreement": "two ways of reading it differ",
	"unsupported_syntax": "it uses syntax that can be read in more than one way",
	"unknown_command": "nothing is known of this program and what it does",
	"unknown_flag": "it has a flag whose meaning is not known",
	"unknown_tool": "nothing is known of this tool and what it does",
	"dynamic_command": "which program runs is only known when it runs",
	"dynamic_argument": "an argument that decides what happens is only known when it runs",
	"dynamic_sql": "the SQL that runs is only put together when it runs",
	"spliced_variable": "a variable is spliced into the text that runs",
	"runtime_input": "what it works on is only read when it runs",
	"remote_code": "it runs code that it fetches from the network",
	"external_file": "it runs a file whose content was not sent along",
	"stored_code": "it calls code that is stored elsewhere and was not sent along",
	"undecodable": "part of it is encoded in a way that could not be undone",
	"interactive_session": "it opens a session, and what is typed there is not known",
	"session_state": "an earlier statement changes how this one is read",
	"not_analyzed": "its language is not analysed",
}

unseen_remedy(unseen) := {"hint": unseen_hint[unseen.code]} if {
	unseen_hint[unseen.code]
} else := {"hint": "Write the command so that everything it does stands in it."}

unseen_hint := {
	"remote_code": "Fetch the script first, read it, and send its text along as an attachment with its digest.",
	"external_file": "Send the file along as an attachment with its digest.",
	"spliced_variable": "Pass the value as a parameter, or write it out.",
	"dynamic_sql": "Write the statements out.",
	"runtime_input": "Name what it works on in the command.",
	"session_state": "Send the statements one by one, each in a session of its own.",
	"interactive_session": "Send the commands themselves instead of opening a session.",
	"size_limit": "Split it into smaller commands.",
	"not_analyzed": "Use a language that is analysed.",
}
