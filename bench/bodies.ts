/**
 * Distinct, realistic decide bodies of about 1 kB: 60 % SQL, 25 % shell, the rest CLIs and HTTP, spread
 * over 600 actors. Seeded, so that every run and every contender gets the same bytes.
 */

/** A small seeded generator (mulberry32): the same seed gives the same sequence everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Template = (n: number) => string

const sql: readonly Template[] = [
  (n) => `SELECT id, status, total_cents, currency, updated_at FROM orders WHERE id = ${n}`,
  (n) =>
    `SELECT o.id, o.status, i.sku, i.quantity FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.id = ${n} ORDER BY i.sku LIMIT 50`,
  (n) => `UPDATE orders SET status = 'shipped', updated_at = now() WHERE id = ${n}`,
  (n) =>
    `INSERT INTO audit_notes (order_id, note, created_at) VALUES (${n}, 'address checked by phone', now())`,
  (n) => `DELETE FROM sessions WHERE id = ${n}`,
  (n) => `DELETE FROM sessions WHERE last_seen < now() - interval '${n} days'`,
  (n) =>
    `WITH recent AS (SELECT id, customer_id FROM orders WHERE created_at > now() - interval '${(n % 90) + 1} days') SELECT customer_id, count(*) FROM recent GROUP BY customer_id HAVING count(*) > 3`,
  (n) =>
    `SELECT date_trunc('day', created_at) AS day, sum(total_cents) FROM orders WHERE region = ${n % 40} GROUP BY 1 ORDER BY 1`,
  (n) =>
    `UPDATE jobs SET locked_by = 'worker-${n}', locked_at = now() WHERE id IN (SELECT id FROM jobs WHERE locked_by IS NULL ORDER BY id LIMIT 10)`,
  (n) => `DELETE FROM customers WHERE true OR id = ${n}`,
  (n) => `ALTER TABLE orders ADD COLUMN note_${n} text`,
  (n) => `INSERT INTO orders_archive SELECT * FROM orders WHERE created_at < now() - interval '${n} days'`,
]

const shell: readonly Template[] = [
  (n) => `ls -la /srv/app/releases/${n}`,
  (n) => `grep -rn 'TODO(${n})' ./src | wc -l`,
  (n) => `tail -n ${n % 500} /var/log/app/worker.log | grep -i error | sort | uniq -c | sort -rn | head`,
  (n) => `rm -rf ./node_modules ./dist && echo clean-${n}`,
  (n) => `find /srv/app/tmp -type f -name '*.${n}.tmp' -delete`,
  (n) => `psql -h orders-db.internal -d orders -c "SELECT count(*) FROM orders WHERE region = ${n % 40}"`,
  (n) => `curl -fsS https://api.internal/v1/health?n=${n}`,
  (n) => `tar czf /backup/app-${n}.tgz /srv/app/config`,
  (n) => `sudo systemctl status worker-${n}`,
]

const other: readonly Template[] = [
  (n) => `kubectl get pods -n team-${n % 30} -o wide`,
  (n) => `terraform -chdir=infra/env-${n} plan -out=plan.tfplan`,
  (n) => `git push origin feature/ticket-${n}`,
]

function command(kind: number, n: number): Record<string, unknown> {
  if (kind < 0.6) return { language: 'sql', dialect: 'postgresql', text: sql[n % sql.length]?.(n) }
  if (kind < 0.85) return { language: 'shell', dialect: 'bash', text: shell[n % shell.length]?.(n) }
  if (kind < 0.93) return { language: 'shell', dialect: 'bash', text: other[n % other.length]?.(n) }
  return {
    language: 'http',
    method: 'GET',
    url: `https://api.internal/v1/orders/${n}`,
    headers: { accept: 'application/json' },
  }
}

function target(language: unknown, n: number): Record<string, unknown> {
  const labels = { team: `team-${n % 30}`, region: 'eu-central-1', tier: n % 3 === 0 ? 'gold' : 'silver' }
  if (language === 'http') return { system: 'http', id: 'orders-api', environment: 'production', labels }
  if (language === 'shell') {
    return {
      system: 'host',
      id: `app-${n % 50}`,
      environment: 'production',
      cwd: '/srv/app',
      labels,
      facts: { workspace: '/srv/app', internal: ['*.internal', '/backup'] },
    }
  }
  const tables = {
    orders: { columns: ['id', 'customer_id', 'status', 'total_cents'], uniqueKeys: [['id']] },
    sessions: { uniqueKeys: [['id']] },
    jobs: { uniqueKeys: [['id']] },
  }
  return {
    system: 'postgresql',
    id: `orders-db-${n % 20}`,
    environment: n % 5 === 0 ? 'development' : 'production',
    labels,
    facts: { tables },
  }
}

/** @param count how many bodies; all of them differ in their command */
export function bodies(count: number, seed = 1): readonly Buffer[] {
  const random = seeded(seed)
  return Array.from({ length: count }, (_, n) => {
    const what = command(random(), n + 1)
    const actor = n % 600
    return Buffer.from(
      JSON.stringify({
        actor: {
          id: `agent:worker-${actor}`,
          type: 'agent',
          roles: ['operator', 'analyst'],
          groups: [`squad-${actor % 40}`],
          onBehalfOf: { id: `user:person-${actor}@example.com`, type: 'human' },
        },
        command: what,
        target: target(what['language'], n),
        context: {
          session: `session-${Math.floor(random() * 1e9)}`,
          task: `nightly-maintenance-${n % 700}`,
          ticket: `OPS-${1000 + (n % 5000)}`,
          purpose: 'routine operation of the order pipeline, planned and announced in the team calendar',
          attributes: {
            planStep: n % 12,
            tool: 'runner',
            model: 'assistant',
            trace: Math.floor(random() * 1e12).toString(36),
          },
        },
      }),
    )
  })
}
