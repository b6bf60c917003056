# METADATA
# title: Questions for tests
# description: >-
#   Builds inputs as the service does, so that a test says only what it is about: `case.asks([effect], {})`
#   is a service's command with that effect on a protected target; the second argument changes the rest.
package countersign.case

# An effect: what is given, over the defaults. Nested objects are merged.
effect(given) := object.union(
	{
		"action": "read",
		"resource": {"system": "postgresql", "type": "table", "name": "orders", "schema": null, "columns": []},
		"scope": "single",
		"why": "",
		"limit": null,
		"predicate": null,
		"reversible": "unknown",
		"destination": null,
		"privilege": null,
		"sensitivity": "none",
		"cascade": null,
		"deferred": false,
		"conditional": false,
		"confidence": "exact",
		"via": [],
		"span": null,
		"endpoint": null,
	},
	given,
)

# A file or folder of the host.
file(action, name, given) := effect(object.union(
	{"action": action, "resource": {"system": "host", "type": "file", "name": name}},
	given,
))

# A table of PostgreSQL.
table(action, name, given) := effect(object.union({"action": action, "resource": {"name": name}}, given))

privilege(given) := object.union(
	{"grantee": null, "privileges": [], "on": null, "level": null, "run_as": null},
	given,
)

# A whole question.
asks(effects, given) := object.union(
	{
		"actor": {
			"id": "service:orders-worker",
			"type": "service",
			"roles": [],
			"groups": [],
			"claimed": {"roles": [], "groups": [], "attributes": {}},
		},
		"batch": [],
		"caller": {"id": "service:gateway", "issuer": "https://issuer.example", "scopes": ["decide", "target:facts"]},
		"checks": [],
		"command": {"language": "sql", "dialect": "postgresql", "text": "…", "digest": "sha256:00"},
		"context": {},
		"grants": [],
		"intent": {
			"v": 1,
			"language": "sql.postgresql",
			"parse": {"ok": true, "parser": "test", "statements": 1, "error": null},
			"effects": effects,
			"opaque": false,
			"opaque_reasons": [],
			"summary": {
				"risk": "low",
				"categories": [],
				"max_scope": "single",
				"reversible": "unknown",
				"systems": [],
				"destinations": [],
				"languages": ["sql.postgresql"],
				"dry_run": false,
			},
			"budget": {"bytes": 0, "nodes": 0, "depth": 0, "micros": 0},
		},
		"lineage": null,
		"places": [place("production", true) | some _ in effects],
		"target": {
			"system": "postgresql",
			"id": "orders-db",
			"environment": "production",
			"registered": true,
			"protected": true,
			"labels": {},
			"facts": {"workspace": "/srv/app", "catalogue": true},
		},
		"time": "2026-11-21T03:00:00.123Z",
	},
	given,
)

place(environment, protected) := {
	"target": "orders-db",
	"environment": environment,
	"protected": protected,
	"why": "target",
}

# The same question in an environment that the data does not protect.
in_the_open(effects, given) := object.union(asks(effects, given), {
	"places": [place("development", false) | some _ in effects],
	"target": {"environment": "development", "protected": false},
})

# As somebody else.
by(kind, id) := {"actor": {"type": kind, "id": id}}

# A command of which something was not seen.
unseen(effects, reasons) := asks(effects, {"intent": {
	"opaque": true,
	"opaque_reasons": [{"code": reason[0], "effect": reason[1], "via": reason[2], "detail": ""} | some reason in reasons],
}})

# The result of a query: its columns, and what it tells by inference.
lineage(columns, inference) := {
	"complete": true,
	"maskable": true,
	"columns": columns,
	"inference": inference,
}

column(index, name, kind, sources) := {
	"index": index,
	"name": name,
	"kind": kind,
	"sources": [{"table": source[0], "column": source[1], "sensitivity": source[2]} | some source in sources],
}

# The rules that a decision names, without repetition.
rules(decision) := {reason.rule | some reason in decision.reasons}
