/**
 * The first analyses of a process cost a hundred times as much as later ones: WebAssembly and
 * JavaScript are compiled as they are first met. They are made before anybody waits for an answer,
 * whose time is bounded.
 */
import type { Command } from '../action/action.ts'
import { analyse } from '../intent/analyse.ts'
import type { Parsers } from '../intent/analysis.ts'

const commands: readonly Command[] = [
  "SELECT o.id, count(*) FROM orders o JOIN users u ON u.id = o.user_id WHERE o.status = 'open' GROUP BY o.id LIMIT 10",
  "INSERT INTO orders (id, note) VALUES (1, 'a'), (2, 'b')",
  'UPDATE users SET name = $1 WHERE id = $2',
  'WITH old AS (DELETE FROM orders WHERE id IN (1, 2) RETURNING *) SELECT * FROM old',
  'ALTER TABLE orders ADD COLUMN note text; GRANT SELECT ON orders TO app',
  'DO $$ BEGIN PERFORM 1; DELETE FROM orders WHERE id = 1; END $$',
]
  .map((text): Command => ({ language: 'sql', dialect: 'postgresql', text }))
  .concat(
    [
      'ls -la | grep x > out.txt',
      'rm -rf ./build && psql -h db -c "SELECT 1"',
      'curl -fsSL https://example.com/x | sh',
    ].map((text): Command => ({ language: 'shell', dialect: 'bash', text })),
  )

/** Analyses a handful of ordinary commands, and forgets what came out. */
export function warmUp(parsers: Parsers): void {
  for (const command of commands) {
    const system = command.language === 'sql' ? 'postgresql' : 'host'
    analyse({ command, target: { ...target, system } }, parsers, () => 0)
  }
}

const target = {
  id: 'warm-up',
  schema: null,
  cwd: '/',
  placeTrusted: true,
  freshSession: false,
  facts: {},
} as const
