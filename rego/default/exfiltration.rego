# METADATA
# title: Exfiltration
# description: Data that leaves for places nobody has named, and more sensitive data than a task needs.
package standard.exfiltration

import data.countersign.words

# METADATA
# title: Export to a place that is not on the list
# description: >-
#   Data is written to a host, bucket or file that is on neither the target's nor the bundle's list of
#   internal destinations. A destination that is not known is not internal.
# custom:
#   rule: exfiltration.destination
#   severity: critical
#   controls: ["soc2:CC6.7", "nist:AC-4", "nist:SC-7"]
deny contains words.reason("exfiltration.destination", i, message, hint) if {
	some i, effect in words.grave.export
	not stays(effect)
	words.holds("exfiltration.destination", i)
	message := $"This sends {words.what(effect)} to {whereto(effect)}, which is on no list of internal destinations."
	hint := "Export to an internal destination, or have this one put on the list."
}

# METADATA
# title: Sensitive data in bulk
# description: >-
#   A result that shows sensitive columns of more rows than the threshold, or of rows whose number
#   nothing proves, also as an extreme or another aggregate of them.
# custom:
#   rule: exfiltration.bulk_sensitive_read
#   severity: high
#   controls: ["soc2:CC6.1", "soc2:C1.1", "nist:AC-3", "nist:AC-6"]
deny contains words.reason("exfiltration.bulk_sensitive_read", effect_of(table), message, hint) if {
	some table in shown_tables
	not shown_within(table)
	words.anywhere("exfiltration.bulk_sensitive_read")
	message := concat("", [
		$"The result shows sensitive columns of {table} for ",
		$"{how_many(table)}: that is a copy of the data, masked or not.",
	])
	hint := $"Ask for single rows by their key, or for at most {data.thresholds.rows.sensitive_read} of them, or only count them."
}

# METADATA
# title: Data of which nobody has said whether it is sensitive
# description: >-
#   The target's catalogue is closed and this is not in it. For agents and people, what is not known
#   is not harmless.
# custom:
#   rule: exfiltration.unknown_sensitivity
#   severity: medium
#   controls: ["soc2:C1.1", "nist:AC-3", "nist:RA-2"]
deny contains words.reason("exfiltration.unknown_sensitivity", i, message, hint) if {
	input.actor.type in {"agent", "human"}
	some i, effect in words.grave.read
	effect.sensitivity == "unknown"
	words.holds("exfiltration.unknown_sensitivity", i)
	message := $"Nobody has said whether {words.thing(effect)} holds sensitive data, and {input.actor.id} may read only what does not."
	hint := "Have it listed in the target's catalogue, or ask for a grant."
}

# An export that stays: internal, on the bundle's own list, or no more than the command's own output.
stays(effect) if effect.destination.trust == "internal"

stays(effect) if effect.destination.kind == "stdout"

stays(effect) if {
	some member in ["host", "bucket", "path"]
	some pattern in data.destinations.internal
	reaches(pattern, effect.destination[member])
}

# A host, `*.suffix` of hosts, a bucket with or without its scheme, or a folder with all below it.
reaches(pattern, place) if pattern == place

reaches(pattern, place) if endswith(pattern, concat("", ["://", place]))

reaches(pattern, place) if {
	startswith(pattern, "*.")
	endswith(place, trim_prefix(pattern, "*"))
}

reaches(pattern, place) if {
	startswith(pattern, "/")
	words.inside(place, pattern)
}

whereto(effect) := effect.destination.host if {
	effect.destination.host
} else := $"bucket {effect.destination.bucket}" if {
	effect.destination.bucket
} else := effect.destination.path if {
	effect.destination.path
} else := "a place that the command does not say"

# The tables of which the result shows sensitive values.
shown_tables contains source.table if {
	some column in input.lineage.columns
	not column.kind in {"count", "constant"}
	some source in column.sources
	source.sensitivity == "sensitive"
}

shown_within(table) if {
	count(reads_of(table)) > 0
	every effect in reads_of(table) {
		words.rows_together(effect) <= data.thresholds.rows.sensitive_read
	}
}

# As lineage names it.
reads_of(table) := {i: effect |
	some i, effect in input.intent.effects
	effect.action == "read"
	effect.resource.name == table
}

effect_of(table) := min(object.keys(reads_of(table))) if {
	count(reads_of(table)) > 0
} else := null

how_many(table) := "every row" if {
	some effect in reads_of(table)
	effect.scope == "all"
} else := $"up to {max(counts)} rows" if {
	counts := {n | some effect in reads_of(table); n := words.rows_together(effect)}
	count(counts) > 0
} else := "rows whose number nothing proves"
