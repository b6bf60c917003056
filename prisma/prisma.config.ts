import { defineConfig } from 'prisma/config'

/** Where Prisma finds schema and migrations. */
export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
})
