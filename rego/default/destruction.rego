# METADATA
# title: Destruction
# description: Data and things that would be gone, or overwritten, in a protected environment.
package standard.destruction

import data.countersign.words

# METADATA
# title: Delete without a bound
# description: >-
#   A DELETE that removes every row, or rows whose number nothing proves, or more than the threshold
#   (counted together over the command) destroys data that nobody meant.
# custom:
#   rule: sql.bulk_delete
#   severity: critical
#   controls: ["soc2:CC6.1", "soc2:A1.2", "nist:AC-3", "nist:SI-7"]
deny contains words.reason("sql.bulk_delete", i, message, hint) if {
	some i, effect in words.grave.delete
	not words.small(effect)
	words.sql(effect)
	words.holds("sql.bulk_delete", i)
	message := $"DELETE on {words.thing(effect)} {words.too_much(effect, "remove", data.thresholds.rows.write)}."
	hint := "Name the rows by their key, or take them in small steps, or ask for a grant."
}

# METADATA
# title: Update without a bound
# description: >-
#   An UPDATE of every row, of rows whose number nothing proves, or of more than the threshold
#   overwrites data that cannot be told from the new afterwards.
# custom:
#   rule: sql.bulk_update
#   severity: critical
#   controls: ["soc2:CC6.1", "soc2:PI1.4", "nist:AC-3", "nist:SI-7"]
deny contains words.reason("sql.bulk_update", i, message, hint) if {
	some i, effect in words.grave.update
	not words.small(effect)
	words.sql(effect)
	words.holds("sql.bulk_update", i)
	message := $"UPDATE on {words.thing(effect)} {words.too_much(effect, "change", data.thresholds.rows.write)}."
	hint := "Name the rows by their key, or take them in small steps, or ask for a grant."
}

# METADATA
# title: Truncate
# description: TRUNCATE empties a table without looking at its rows, and past its row triggers.
# custom:
#   rule: sql.truncate
#   severity: critical
#   controls: ["soc2:CC6.1", "soc2:A1.2", "nist:AC-3", "nist:SI-7"]
deny contains words.reason("sql.truncate", i, message, hint) if {
	some i, effect in words.grave.truncate
	words.sql(effect)
	words.holds("sql.truncate", i)
	message := $"TRUNCATE empties {words.what(effect)} in {words.place(i)}{with_cascade(effect)}."
	hint := "Delete the rows that have to go by their key, or ask for a grant."
}

# METADATA
# title: Drop of what holds data
# description: >-
#   Dropping a table, schema or database takes its data along. Dropping what holds none (an index, a
#   view) is not denied here; it only needs a grant.
# custom:
#   rule: sql.drop
#   severity: critical
#   controls: ["soc2:CC6.1", "soc2:CC8.1", "nist:AC-3", "nist:CM-5"]
deny contains words.reason("sql.drop", i, message, hint) if {
	some i, effect in words.grave.drop
	words.sql(effect)
	effect.scope != "single"
	words.holds("sql.drop", i)
	message := $"DROP takes {words.what(effect)} in {words.place(i)} with all that it holds{with_cascade(effect)}."
	hint := "Drop it through a reviewed migration, or ask for a grant."
}

# METADATA
# title: Drop of a column
# description: Dropping a column takes its values from every row.
# custom:
#   rule: sql.drop_column
#   severity: high
#   controls: ["soc2:CC8.1", "nist:CM-5"]
deny contains words.reason("sql.drop_column", i, message, hint) if {
	some i, effect in words.grave.alter
	effect.scope == "all"
	count(effect.resource.columns) > 0
	words.holds("sql.drop_column", i)
	message := $"ALTER on {words.thing(effect)} takes {concat(", ", effect.resource.columns)} from every row in {words.place(i)}."
	hint := "Change the schema through a reviewed migration, or ask for a grant."
}

# METADATA
# title: Removal of files without a bound
# description: >-
#   A recursive remove, or one by a pattern, of files that no build makes again. Outside the workspace
#   it is denied in unprotected environments too.
# custom:
#   rule: file.recursive_delete
#   severity: critical
#   controls: ["soc2:CC6.1", "soc2:A1.2", "nist:AC-3", "nist:SI-7"]
deny contains words.reason("file.recursive_delete", i, message, hint) if {
	some i, effect in words.grave.delete
	not words.small(effect)
	effect.resource.system == "host"
	file_rule_holds("file.recursive_delete", i)
	message := $"This removes {words.what(effect)} {extent(effect.scope)}, and nothing brings it back."
	hint := "Name the files one by one, or remove only what a build makes again inside the workspace."
}

# METADATA
# title: File emptied
# description: A redirect or truncate leaves an empty file where there was content.
# custom:
#   rule: file.truncate
#   severity: high
#   controls: ["soc2:CC6.1", "nist:AC-3", "nist:SI-7"]
deny contains words.reason("file.truncate", i, message, hint) if {
	some i, effect in words.grave.truncate
	effect.resource.system == "host"
	file_rule_holds("file.truncate", i)
	message := $"This empties {words.what(effect)}: what stands in it is gone."
	hint := "Write the new content in one step, or keep a copy beside it first."
}

# METADATA
# title: File system destroyed
# description: Formatting, partitioning or dropping a volume takes every file on it.
# custom:
#   rule: file.drop
#   severity: critical
#   controls: ["soc2:A1.2", "nist:AC-3", "nist:CP-9"]
deny contains words.reason("file.drop", i, message, hint) if {
	some i, effect in words.grave.drop
	effect.resource.system == "host"
	words.holds("file.drop", i)
	message := $"This destroys {words.what(effect)} with every file on it."
	hint := "Ask for a grant."
}

# METADATA
# title: Things removed without a bound
# description: >-
#   Namespaces, clusters, stacks, buckets, indices, collections, keys: everything that is neither SQL
#   nor a file, removed as a whole or without a proven number.
# custom:
#   rule: resource.bulk_delete
#   severity: critical
#   controls: ["soc2:CC6.1", "soc2:A1.2", "nist:AC-3", "nist:CP-9"]
deny contains words.reason("resource.bulk_delete", i, message, hint) if {
	some action in ["delete", "drop", "truncate"]
	some i, effect in words.grave[action]
	not words.small(effect)
	elsewhere(effect)
	words.holds("resource.bulk_delete", i)
	message := $"This removes {words.what(effect)} of {effect.resource.system} {extent(effect.scope)}, with all that is in it."
	hint := "Name the one thing that has to go, or ask for a grant."
}

# METADATA
# title: Things overwritten without a bound
# description: As resource.bulk_delete, for content and desired state that is replaced.
# custom:
#   rule: resource.bulk_update
#   severity: high
#   controls: ["soc2:CC6.1", "soc2:CC8.1", "nist:AC-3", "nist:CM-5"]
deny contains words.reason("resource.bulk_update", i, message, hint) if {
	some action in ["update", "write"]
	some i, effect in words.grave[action]
	not words.small(effect)
	elsewhere(effect)
	words.holds("resource.bulk_update", i)
	message := $"This changes {words.what(effect)} of {effect.resource.system} {extent(effect.scope)}."
	hint := "Name the one thing that has to change, or ask for a grant."
}

# METADATA
# title: History rewritten
# description: A force push or a rewrite takes commits from those who have not fetched them.
# custom:
#   rule: git.history_rewrite
#   severity: high
#   controls: ["soc2:CC8.1", "nist:CM-5", "nist:AU-9"]
deny contains words.reason("git.history_rewrite", null, message, hint) if {
	"history_rewrite" in input.intent.summary.categories
	words.anywhere("git.history_rewrite")
	message := $"This rewrites history in {input.target.id}: commits that others build on would be gone."
	hint := "Push a new commit that reverts the old one."
}

elsewhere(effect) if {
	effect.resource.system != "host"
	not words.sql(effect)
}

# In the open, a workspace's own files are its own business.
file_rule_holds(_, i) if not words.open(i)

file_rule_holds(rule, i) if {
	rule in data.unprotected.enforce
	not words.in_workspace(input.intent.effects[i])
}

with_cascade(effect) := ", and with everything that depends on it" if {
	effect.cascade == true
} else := ""

extent(scope) := "as a whole" if {
	scope == "all"
} else := "by a pattern that nothing bounds" if {
	scope == "bulk"
} else := "to an extent that cannot be told" if {
	scope == "unknown"
} else := "in more places than one command may"
