import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { migrate, pendingMigrations } from '../../src/postgres/migrate.ts'
import { TEMPLATE, testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'

let database: TestDatabase
let folder: string

beforeEach(async () => {
  database = await testDatabase(null)
  folder = mkdtempSync(join(tmpdir(), 'cs-migrations-'))
})

afterEach(async () => {
  await database.drop()
  rmSync(folder, { recursive: true })
})

function write(name: string, sql: string): void {
  mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, name, 'migration.sql'), sql)
}

async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

test('applies what is missing, in order, function bodies included, and then nothing', async () => {
  write('0001_a', 'create table a (n int); create function f() returns int language sql as $$ select 1; $$;')
  write('0002_b', 'insert into a values (f());')
  expect(await pendingMigrations(database.url, folder)).toEqual(['0001_a', '0002_b'])
  expect(await migrate(database.url, folder)).toEqual({ applied: ['0001_a', '0002_b'], unknown: [] })
  expect(await pendingMigrations(database.url, folder)).toEqual([])
  expect(await migrate(database.url, folder)).toEqual({ applied: [], unknown: [] })
  expect(await ask(database.url, 'select n from a')).toEqual([{ n: 1 }])
})

test('names the migration that failed, its line and why, leaves nothing of it, and can be run again', async () => {
  write('0001_a', 'create table a (n int);')
  write('0002_b', 'create table b (n int);\n\nselect * from nowhere;')
  await expect(migrate(database.url, folder)).rejects.toThrow(
    'migration 0002_b failed and was rolled back: relation "nowhere" does not exist (42P01, line 3)',
  )
  expect(
    await ask(database.url, "select to_regclass('a') is null as a, to_regclass('b') is null as b"),
  ).toEqual([{ a: false, b: true }])
  write('0002_b', 'create table b (n int);')
  expect(await migrate(database.url, folder)).toEqual({ applied: ['0002_b'], unknown: [] })
})

test('processes that start at once apply each migration once', async () => {
  write('0001_a', 'create table a (n int); insert into a values (1);')
  const done = await Promise.all([1, 2, 3, 4].map(() => migrate(database.url, folder)))
  expect(done.flatMap(({ applied }) => applied)).toEqual(['0001_a'])
  expect(await ask(database.url, 'select n from a')).toEqual([{ n: 1 }])
})

test('refuses a migration that was changed after it was applied', async () => {
  write('0001_a', 'create table a (n int);')
  await migrate(database.url, folder)
  write('0001_a', 'create table a (n bigint);')
  await expect(migrate(database.url, folder)).rejects.toThrow('0001_a has been changed since it was applied')
  await expect(pendingMigrations(database.url, folder)).rejects.toThrow('0001_a has been changed')
})

test('reports what a later version applied', async () => {
  write('0001_a', 'create table a (n int);')
  write('0002_b', 'create table b (n int);')
  await migrate(database.url, folder)
  rmSync(join(folder, '0002_b'), { recursive: true })
  expect(await migrate(database.url, folder)).toEqual({ applied: [], unknown: ['0002_b'] })
})

test('the shipped migrations leave nothing pending, and the service login can see that', async () => {
  const clone = await testDatabase(TEMPLATE)
  try {
    expect(await pendingMigrations(clone.serviceUrl)).toEqual([])
    expect(await migrate(clone.url)).toEqual({ applied: [], unknown: [] })
  } finally {
    await clone.drop()
  }
})
