# METADATA
# title: Words that policies share
# description: >-
#   What every rule needs and none should define twice: which effects there are by action, which of
#   them land in a protected place, whether a row of data applies now, and how a reason is written.
package countersign.words

# The effects that are not plain, by action and index. Rules that deny start from here: most commands
# have none, and then no rule is asked at all.
grave[effect.action][i] := effect if {
	some i, effect in input.intent.effects
	not plain(effect)
}

# Whether the shipped rules have anything to be asked about: a grave effect, or a result that shows or
# tells what is not known to be harmless.
remarkable if count(grave) > 0

remarkable if {
	some column in input.lineage.columns
	some source in column.sources
	source.sensitivity != "none"
}

remarkable if input.lineage.inference[0]

remarkable if {
	some category in input.intent.summary.categories
	telling(category)
}

# What the analysis may say of a command whose effects look plain one by one.
telling("audit_tamper")

telling("history_rewrite")

telling("persistence")

# Plain is what reads or changes little, touches nothing sensitive or secret, and concerns no rights.
plain(effect) if {
	effect.sensitivity == "none"
	is_null(effect.privilege)
	everyday(effect)
}

everyday(effect) if effect.action == "read"

everyday(effect) if effect.action == "none"

everyday(effect) if {
	changes(effect.action)
	small(effect)
	not guards(effect.resource)
}

changes("delete")

changes("insert")

changes("update")

changes("write")

changes("create")

# Belongs to what watches: by the beginnings of names, those of its system and those of all.
guards(resource) if {
	some beginning in data.guard.own[resource.system]
	startswith(resource.name, beginning)
}

guards(resource) if {
	some beginning in data.guard.own["*"]
	startswith(resource.name, beginning)
}

guards(resource) if {
	is_string(resource.schema)
	some beginning in data.guard.own["*"]
	startswith(resource.schema, beginning)
}

# Proven to stay within the threshold of rows for changes.
small(effect) if rows_together(effect) <= data.thresholds.rows.write

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

# A rule about the whole command holds if any of its effects lands in a protected place.
anywhere(rule) if {
	some i, _ in input.intent.effects
	holds(rule, i)
}

# Asked in SQL.
sql(effect) if effect.resource.system in {
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
	"severity": severity(rule),
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
thing(effect) := $"a {effect.resource.type} that cannot be told" if {
	nameless(effect.resource.name)
} else := $"{effect.resource.schema}.{effect.resource.name}" if {
	is_string(effect.resource.schema)
	effect.resource.type != "schema"
	not contains(effect.resource.name, ".")
} else := effect.resource.name

# The same with its kind: `table public.customers`.
what(effect) := thing(effect) if {
	nameless(effect.resource.name)
} else := $"{effect.resource.type} {thing(effect)}"

nameless("")

nameless("*unknown*")

# What an effect does, as a verb.
verb("network") := "reach"

verb("process") := "start, stop or signal"

verb("config") := "set"

verb("import") := "import into"

verb(action) := action if not action in ["network", "process", "config", "import"]

# Where it lands.
place(i) := name if {
	name := input.places[i].environment
} else := input.target.environment

# How many rows or files an effect is proven to touch at most; undefined where nothing is proven. A
# bounded removal of files without a number is that of one thing which a build makes again.
rows(effect) := 1 if {
	effect.scope == "single"
} else := n if {
	effect.scope == "bounded"
	n := effect.limit
	is_number(n)
	n >= 0
} else := 1 if {
	effect.scope == "bounded"
	is_null(effect.limit)
	effect.resource.system == "host"
}

# The effects of one action on one resource: their proven rows are counted together, so that a
# hundred small commands in one text are not smaller than one large one. Few of them are compared one by
# one, which is cheaper than grouping them.
alike[[effect.action, effect.resource.system, effect.resource.name]][i] := effect if {
	some i, effect in input.intent.effects
}

# Proven rows of such a group. Undefined where any of them is not proven.
proven[key] := total if {
	some key, group in alike
	every effect in group { rows(effect) }
	total := sum([n | some effect in group; n := rows(effect)])
}

# Proven rows of an effect and of all that are like it, in this command and in the actor's other
# commands of the same batch.
rows_together(effect) := rows(effect) if {
	count(input.intent.effects) == 1
	count(input.batch) == 0
} else := total if {
	count(input.intent.effects) < 9
	like := [other | some other in input.intent.effects; same(other, effect)]
	counted := [n | some other in like; n := rows(other)]
	count(counted) == count(like)
	total := sum(counted) + rows_elsewhere(effect)
} else := total if {
	count(input.intent.effects) > 8
	here := proven[[effect.action, effect.resource.system, effect.resource.name]]
	total := here + rows_elsewhere(effect)
}

same(one, other) if {
	one.action == other.action
	one.resource.name == other.resource.name
	one.resource.system == other.resource.system
}

rows_elsewhere(effect) := 0 if {
	count(input.batch) == 0
} else := sum([other.rows |
	some other in input.batch
	other.action == effect.action
	other.system == effect.resource.system
	other.name == effect.resource.name
])

# Why an effect is too much, as the end of a sentence.
too_much(effect, verb, threshold) := $"has no WHERE clause: it would {verb} every row" if {
	effect.why == "no_predicate"
} else := $"covers everything: it would {verb} every row" if {
	effect.scope == "all"
} else := $"would {verb} up to {n} rows in one command, more than the {threshold} that are allowed" if {
	n := rows_together(effect)
} else := $"has a filter, but nothing proves how many rows it would {verb}" if {
	effect.scope == "bulk"
} else := $"would {verb} rows whose number cannot be told from the command"

# A row of data with an end is in force before that end. Both are UTC with milliseconds, so that
# comparing the text compares the time.
in_time(until) if {
	is_string(until)
	input.time < until
}

# A row that names an actor or a target is about that one only. The target is the one that the effect
# lands on, and one that the data pins: any other is only what a request calls itself.
about(row, i) if {
	fits(object.get(row, "actor", "*"), input.actor.id)
	about_target(row, i)
}

about_target(row, _) if not row.target

about_target(row, i) if {
	input.target.registered == true
	fits(row.target, input.places[i].target)
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
in_workspace(effect) if {
	effect.resource.system == "host"
	is_null(effect.endpoint)
	inside(effect.resource.name, input.target.facts.workspace)
}
