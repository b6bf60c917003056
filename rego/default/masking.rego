# METADATA
# title: Masking
# description: >-
#   Sensitive columns leave masked, or not at all. What can't be masked column by column, and what can be
#   learnt without looking at the column, is denied.
package standard.masking

import data.countersign.words

# METADATA
# title: Sensitive column in the result
# description: A sensitive column of the result is masked with the method that the data names for it.
# custom:
#   rule: masking.sensitive_column
#   severity: medium
#   controls: ["soc2:C1.1", "soc2:CC6.1", "nist:AC-3", "nist:SI-19"]
mask contains column_mask(column, sources) if {
	followed
	some column in input.lineage.columns
	column.kind in {"plain", "derived", "aggregate"}
	sources := [source | some source in column.sources; source.sensitivity == "sensitive"]
	count(sources) > 0
	words.anywhere("masking.sensitive_column")
}

# METADATA
# title: Sensitive data in a form that cannot be masked
# description: >-
#   A COPY, a whole row as one value, a result whose columns could not be followed: nothing can be put
#   over the sensitive part.
# custom:
#   rule: masking.not_maskable
#   severity: high
#   controls: ["soc2:C1.1", "nist:AC-3", "nist:SI-19"]
deny contains words.reason("masking.not_maskable", i, message, hint) if {
	some i, effect in words.grave.read
	effect.sensitivity == "sensitive"
	not followed
	words.holds("masking.not_maskable", i)
	message := $"This reads sensitive data of {words.thing(effect)} in a form that cannot be masked column by column."
	hint := "Select the columns by name, in one statement whose result is read as rows."
}

deny contains words.reason("masking.not_maskable", null, message, hint) if {
	some column in input.lineage.columns
	cannot_be_masked(column)
	words.anywhere("masking.not_maskable")
	message := $"Column {column.index} of the result ({column.name}) holds sensitive data as one piece, which cannot be masked."
	hint := "Select the columns by name."
}

# METADATA
# title: Sensitive data learnt by inference
# description: >-
#   A sensitive column in a condition, an order, a group or a join tells its values by what comes back,
#   even if it is not shown. Equality on a unique key is not concerned.
# custom:
#   rule: masking.inference
#   severity: high
#   controls: ["soc2:C1.1", "nist:AC-3", "nist:SI-19"]
deny contains words.reason("masking.inference", null, message, hint) if {
	some leak in input.lineage.inference
	leak.proof != "unique_key"
	words.anywhere("masking.inference")
	message := concat("", [
		$"{leak.table}.{leak.column} is sensitive, and using it in {place_word[leak.place]} ",
		"tells its values by what comes back.",
	])
	hint := "Find the rows by a key or by a column that is not sensitive."
}

# Every result column is known, and rows leave as rows.
followed if {
	input.lineage.complete == true
	input.lineage.maskable == true
}

cannot_be_masked(column) if {
	column.kind in {"whole_row", "unknown"}
	some source in column.sources
	source.sensitivity == "sensitive"
}

cannot_be_masked(column) if {
	some source in column.sources
	source.sensitivity == "sensitive"
	source.column == "*"
}

cannot_be_masked(column) if {
	not followed
	some source in column.sources
	source.sensitivity == "sensitive"
}

place_word := {
	"where": "WHERE",
	"order_by": "ORDER BY",
	"group_by": "GROUP BY",
	"having": "HAVING",
	"distinct": "DISTINCT",
	"join": "a join condition",
	"window": "a window",
	"limit": "LIMIT",
}

column_mask(column, sources) := object.union(
	{
		"rule": "masking.sensitive_column",
		"effect": effect_of(sources[0].table),
		"index": column.index,
		"field": column.name,
		"source": concat(", ", sort({$"{source.table}.{source.column}" | some source in sources})),
	},
	method(column, sources),
)

effect_of(table) := min(reads) if {
	reads := {i | some i, effect in input.intent.effects; effect.action == "read"; effect.resource.name == table}
	count(reads) > 0
} else := null

# The column itself is masked as the data says, by its full name or by its own; what is computed from
# sensitive columns keeps nothing.
method(column, sources) := way if {
	column.kind == "plain"
	count(sources) == 1
	way := data.sensitive.methods[$"{sources[0].table}.{sources[0].column}"]
} else := way if {
	column.kind == "plain"
	count(sources) == 1
	way := data.sensitive.methods[lower(sources[0].column)]
} else := data.sensitive["default"]
