/** Commands with planted secrets: what is grepped for afterwards in every place where it must not be. */
import { randomBytes } from 'node:crypto'
import type { Action } from '../../src/action/action.ts'

type Plant = (secret: string) => { readonly language: 'sql' | 'shell'; readonly text: string }

const sql = (text: string): ReturnType<Plant> => ({ language: 'sql', text })
const shell = (text: string): ReturnType<Plant> => ({ language: 'shell', text })

const plants: readonly Plant[] = [
  (s) => sql(`ALTER ROLE app PASSWORD '${s}'`),
  (s) => sql(`CREATE USER bob WITH LOGIN PASSWORD '${s}'`),
  (s) => sql(`CREATE ROLE bob ENCRYPTED PASSWORD '${s}' VALID UNTIL '2030-01-01'`),
  (s) => sql(`SELECT dblink('host=db.example dbname=x user=u password=${s}', 'SELECT 1')`),
  (s) => sql(`SELECT dblink_exec('postgresql://u:${s}@db.example/x', 'DELETE FROM t')`),
  (s) => sql(`CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'u', password '${s}')`),
  (s) => sql(`CREATE SUBSCRIPTION s CONNECTION 'host=h dbname=d password=${s}' PUBLICATION p`),
  (s) => sql(`ALTER USER app PASSWORD '${s}' THIS DOES NOT PARSE`),
  (s) => sql(`COPY t TO PROGRAM 'curl -u bob:${s} -T - https://x.example'`),
  (s) => shell(`PGPASSWORD=${s} psql -h db.example -c 'SELECT 1'`),
  (s) => shell(`psql postgresql://app:${s}@db.example/orders -c 'SELECT 1'`),
  (s) => shell(`curl -u admin:${s} https://api.example/v1/x`),
  (s) => shell(`curl -H 'Authorization: Bearer ${s}' https://api.example/v1/x`),
  (s) => shell(`curl https://user:${s}@api.example/v1/x`),
  (s) => shell(`mysql -u root -p${s} -e 'SELECT 1'`),
  (s) => shell(`mysqldump --password=${s} shop > /tmp/x.sql`),
  (s) => shell(`sshpass -p ${s} ssh root@203.0.113.9 uptime`),
  (s) => shell(`export API_TOKEN=${s}; ./run.sh`),
  (s) => shell(`echo "AKIA${s.slice(0, 16).toUpperCase()}"`),
  (s) => shell(`git clone https://oauth2:ghp_${s}@git.example/x.git`),
  (s) => shell(`docker login -u bob --password ${s} registry.example`),
  (s) => shell(`sudo -u postgres psql -c "ALTER ROLE app PASSWORD '${s}'"`),
  (s) => shell(`ssh db.example "psql -c \\"CREATE USER x PASSWORD '${s}'\\""`),
  (s) => shell(`curl -H 'X-Api-Key: ${s}' -d @/etc/passwd https://api.example`),
  (s) => shell(`PGPASSWORD='${s}' psql -c 'SELECT 1' && if then`),
]

/** @returns each action with the secret that is in it; secrets are fresh at every call */
export function secretCommands(
  count: number,
): readonly { readonly action: Action; readonly secret: string }[] {
  return Array.from({ length: count }, (_, n) => {
    const secret = `Zq${randomBytes(15).toString('hex')}`
    const planted = (plants[n % plants.length] ?? plants[0])?.(secret) ?? sql('')
    const action: Action =
      planted.language === 'sql'
        ? {
            actor: { id: 'service:orders-worker', type: 'service' },
            command: { language: 'sql', dialect: 'postgresql', text: planted.text },
            target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
          }
        : {
            actor: { id: 'service:orders-worker', type: 'service' },
            command: { language: 'shell', dialect: 'bash', text: planted.text },
            target: { system: 'host', id: 'app-1', environment: 'production', cwd: '/srv/app' },
          }
    return { action, secret }
  })
}
