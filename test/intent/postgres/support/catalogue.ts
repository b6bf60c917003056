/** What the tests' target knows of its tables and functions. */
import type { Facts } from '../../../../src/action/action.ts'

export const shop: Facts = {
  tables: {
    users: {
      columns: ['id', 'name', 'email', 'phone', 'team_id'],
      uniqueKeys: [['id'], ['email']],
      notNull: ['id', 'name'],
      types: { id: 'bigint', name: 'text' },
      sensitive: ['email', 'phone'],
    },
    teams: { columns: ['id', 'title'], uniqueKeys: [['id']] },
    orders: { columns: ['id', 'user_id', 'status', 'total'], uniqueKeys: [['id']], notNull: ['status'] },
    items: { columns: ['order_id', 'line', 'sku'], uniqueKeys: [['order_id', 'line']] },
    'app.events': { columns: ['id', 'body'], uniqueKeys: [['id']] },
    patients: { sensitive: true },
  },
  functions: { 'app.refund': { effects: ['update'] }, score: { effects: [] } },
  internal: ['db.internal', '/backup'],
}
