import * as fc from 'fast-check'
import { canonicalJson } from '../../src/action/canonical.ts'
import { actionTexts } from '../../src/action/texts.ts'
import type { Action } from '../../src/action/action.ts'

test('the text assembled of parts is the canonical text of the whole action', () => {
  const optional = { requiredKeys: ['system', 'id', 'environment'] as ('system' | 'id' | 'environment')[] }
  const target = fc.record(
    {
      system: fc.string(),
      id: fc.string(),
      environment: fc.string(),
      schema: fc.string(),
      cwd: fc.string(),
      session: fc.string(),
      owner: fc.string(),
      kubeContext: fc.string(),
      cloudProfile: fc.string(),
      labels: fc.dictionary(fc.string(), fc.string()),
      facts: fc.record({ internal: fc.array(fc.string()) }, { requiredKeys: [] }),
    },
    optional,
  )
  const action = fc.record(
    {
      actor: fc.record({ id: fc.string(), roles: fc.array(fc.string()) }, { requiredKeys: ['id'] }),
      command: fc.record({ language: fc.constant('sql' as const), dialect: fc.string(), text: fc.string() }),
      target,
      context: fc.record({ ticket: fc.string() }, { requiredKeys: [] }),
    },
    { requiredKeys: ['actor', 'command', 'target'] },
  )
  fc.assert(
    fc.property(action, (value) => {
      const texts = actionTexts(value as Action)
      expect(texts.action).toBe(canonicalJson(value))
      expect(texts.command).toBe(canonicalJson(value.command))
    }),
  )
})
