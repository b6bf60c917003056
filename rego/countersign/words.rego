# METADATA
# title: Words that policies share
# description: >-
#   What every rule needs and none should define twice: which effects there are by action, which of
#   them land in a protected place, whether a row of data applies now, and how a reason is written.
package countersign.words

# The indices of the effects of each action. Rules start from here, so that a rule about an action
# that a command does not have costs one look-up.
of[effect.action] contains i if some i, effect in input.intent.effects

# An effect is in the open only if the service placed it in an unprotected environment and the data
# agrees. Anything else, an environment on no list above all, is protected.
open(i) if {
	input.places[i].protected == false
	row := data.environments[input.places[i].environment]
	row.protected == false
	row.default == "allow"
}

# A rule of the shipped policies holds in protected places, and in the open if the data lists it.
holds(_, i) if not open(i)

holds(rule, _) if rule in data.unprotected.enforce

# Databases that are asked in SQL.
sql_systems := {
	"bigquery", "mariadb", "mssql", "mysql", "oracle", "postgresql", "redshift", "snowflake", "sqlite",
}

# A reason to deny, with what to do instead.
reason(rule, i, message, hint) := {
	"rule": rule,
	"severity": severity(rule),
	"effect": i,
	"message": message,
	"controls": controls(rule),
	"remedy": {"hint": hint, "grantRequest": "/v1/grants"},
}

# A reason to deny that no grant and no exception lifts.
final_reason(rule, i, message, hint) := {
	"rule": rule,
	"severity": severity(rule),
	"effect": i,
	"message": message,
	"controls": controls(rule),
	"remedy": {"hint": hint},
}

# An allow: names the effect that it covers.
cover(rule, i, message) := {
	"rule": rule,
	"severity": "info",
	"effect": i,
	"message": message,
	"controls": controls(rule),
}

controls(rule) := listed if {
	listed := data.controls[rule]
} else := []

severity(rule) := word if {
	word := data.severities[rule]
} else := "high"

# How a person would name what an effect touches: `public.customers`, `/srv/data`, `prod/api-7d9`.
thing(i) := name if {
	resource := input.intent.effects[i].resource
	is_string(resource.schema)
	resource.type != "schema"
	not contains(resource.name, ".")
	name := $"{resource.schema}.{resource.name}"
} else := input.intent.effects[i].resource.type if {
	input.intent.effects[i].resource.name in {"", "*unknown*"}
} else := input.intent.effects[i].resource.name

# Where it lands, for a message.
place(i) := name if {
	name := input.places[i].environment
} else := input.target.environment

# How many rows or files an effect is proven to touch at most; undefined where nothing is proven. A
# bounded removal of files without a number is that of one thing which a build makes again.
rows(i) := 1 if {
	input.intent.effects[i].scope == "single"
} else := n if {
	input.intent.effects[i].scope == "bounded"
	n := input.intent.effects[i].limit
	is_number(n)
	n >= 0
} else := 1 if {
	input.intent.effects[i].scope == "bounded"
	input.intent.effects[i].limit == null
	input.intent.effects[i].resource.system == "host"
}

# The effects of one action on one resource: their proven rows are counted together, so that a
# hundred small commands in one text are not smaller than one large one.
alike[[effect.action, effect.resource.system, effect.resource.name]] contains i if {
	count(input.intent.effects) > 1
	some i, effect in input.intent.effects
}

# Proven rows of an effect and of all that are like it. Undefined where any of them is not proven.
rows_together(i) := rows(i) if {
	count(input.intent.effects) == 1
} else := total if {
	effect := input.intent.effects[i]
	group := alike[[effect.action, effect.resource.system, effect.resource.name]]
	every j in group { rows(j) }
	total := sum([n | some j in group; n := rows(j)])
}

# Proven to stay within a threshold of rows.
within(i, threshold) if rows_together(i) <= threshold

# Why an effect is too much, as the end of a sentence.
too_much(i, verb, threshold) := $"has no WHERE clause: it would {verb} every row" if {
	input.intent.effects[i].why == "no_predicate"
} else := $"covers everything: it would {verb} every row" if {
	input.intent.effects[i].scope == "all"
} else := $"would {verb} up to {rows_together(i)} rows in one command, more than the {threshold} that are allowed" if {
	rows_together(i)
} else := $"has a filter, but nothing proves how many rows it would {verb}" if {
	input.intent.effects[i].scope == "bulk"
} else := $"would {verb} rows whose number could not be told from the command"

# A row of data with an end is in force before that end. Both are UTC with milliseconds, so that
# comparing the text compares the time.
in_time(until) if {
	is_string(until)
	input.time < until
}

# A row that names an actor or a target is about that one only.
about(row) if {
	fits(object.get(row, "actor", "*"), input.actor.id)
	fits(object.get(row, "target", "*"), input.target.id)
}

# Exact, or a prefix that ends in `*`.
fits(pattern, text) if pattern == text

fits(pattern, text) if {
	endswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
}

# Lies in a folder: below it, and without a step upwards.
inside(path, folder) if {
	startswith(path, concat("", [trim_suffix(folder, "/"), "/"]))
	not contains(path, "/../")
	not endswith(path, "/..")
	not contains(path, "*unknown*")
}

# In the workspace of the target, where changing files is everyday work.
in_workspace(i) if {
	input.intent.effects[i].resource.system == "host"
	is_null(input.intent.effects[i].endpoint)
	inside(input.intent.effects[i].resource.name, input.target.facts.workspace)
}

# A rule about the whole command holds if any of its effects lands in a protected place.
anywhere(rule) if {
	some i, _ in input.intent.effects
	holds(rule, i)
}

# An effect is on the resource of that name, as lineage names it.
named(i, name) if input.intent.effects[i].resource.name == name
