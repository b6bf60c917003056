# METADATA
# title: Secrets
# description: Keys, passwords and tokens, wherever they lie.
package standard.secrets

import data.countersign.words

# METADATA
# title: Reading a secret
# description: >-
#   What reads a private key, a password file, a secret store or a token has it from then on, and it has
#   to be changed. Holds in unprotected environments too.
# custom:
#   rule: secret.read
#   severity: critical
#   controls: ["soc2:CC6.1", "nist:IA-5", "nist:SC-12"]
deny contains words.reason("secret.read", i, message, hint) if {
	some effects in words.grave
	some i, effect in effects
	effect.sensitivity == "secret"
	effect.action in {"read", "export", "network", "execute"}
	words.holds("secret.read", i)
	message := $"{words.thing(effect)} holds secrets: whoever reads it can act as somebody else until they are changed."
	hint := "Let the service that needs the secret fetch it itself, or ask for a grant."
}

# METADATA
# title: Changing a secret
# description: Overwriting or removing a key, a password file or a secret locks out or lets in.
# custom:
#   rule: secret.write
#   severity: high
#   controls: ["soc2:CC6.1", "nist:IA-5", "nist:SC-12"]
deny contains words.reason("secret.write", i, message, hint) if {
	some effects in words.grave
	some i, effect in effects
	effect.sensitivity == "secret"
	not effect.action in {"none", "read", "export", "network", "execute"}
	words.holds("secret.write", i)
	message := $"{words.thing(effect)} holds secrets, and this would {words.verb(effect.action)} it: that locks out whoever uses them, or lets somebody in."
	hint := "Rotate it in the secret store, or ask for a grant."
}
