import { leafHash } from '../../src/ledger/merkle.ts'

test('a leaf hashes as RFC 6962 has it', () => {
  // Test vectors of the Certificate Transparency reference implementation.
  expect(leafHash(Buffer.alloc(0)).toString('hex')).toBe(
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  )
  expect(leafHash(Buffer.from([0])).toString('hex')).toBe(
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  )
})
