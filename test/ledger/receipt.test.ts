import { createHash, createPrivateKey } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { canonicalJson } from '../../src/action/canonical.ts'
import { parseReceipt, receiptHeader, receiptSigningInput } from '../../src/ledger/receipt.ts'
import { createReceiptSigner } from '../../src/signing/receipt-signer.ts'
import { decision } from '../support/ledger.ts'

// The key of RFC 8037, appendix A.
const jwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}
const signer = createReceiptSigner(createPrivateKey({ key: jwk, format: 'jwk' }))
const salt = Buffer.alloc(32, 5)
const place = {
  origin: 'log.example/a',
  id: '01a19467-e800-7000-8000-000000000000',
  timeMs: 1_795_230_000_123,
  stream: '5f3c',
  seq: 7,
  leaf: 'bGVhZg',
}

function receiptOf(record: ReturnType<typeof decision>): string {
  const input = receiptSigningInput(receiptHeader(signer.kid), record, place, salt)
  return `${input}.${signer.sign(Buffer.from(input)).toString('base64url')}`
}

test('any JOSE library verifies a receipt and reads its claims', async () => {
  const { d: _private, ...publicKey } = jwk
  const key = await importJWK(publicKey, 'EdDSA')
  const { payload, protectedHeader } = await compactVerify(receiptOf(decision()), key)
  expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: signer.kid, typ: 'countersign-receipt+jwt' })
  const text = Buffer.from(payload).toString()
  const claims = JSON.parse(text) as Record<string, unknown>
  const action = createHash('sha256')
    .update('countersign/action/v1\n')
    .update(salt)
    .update(decision().receipt.action)
    .digest('base64url')
  expect(claims).toEqual({
    iss: 'log.example/a',
    jti: place.id,
    iat: 1_795_230_000,
    exp: 1_795_230_060,
    azp: 'gateway',
    sub: 'agent:etl-7',
    verdict: 'deny',
    act: action,
    leaf: 'bGVhZg',
    stream: '5f3c',
    seq: 7,
  })
  expect(text).toBe(canonicalJson(claims))
})

test('masks and obligations are bound under the same salt, each in its own domain', () => {
  const text = canonicalJson([])
  const draft = { ...decision().receipt, action: text, masks: text, obligations: text }
  const { claims } = parseReceipt(receiptOf(decision({ record: { receipt: draft } })))
  const digest = (domain: string): string =>
    createHash('sha256').update(`countersign/${domain}/v1\n`).update(salt).update(text).digest('base64url')
  expect([claims.act, claims.msk, claims.obl]).toEqual(['action', 'masks', 'obligations'].map(digest))
})

test('a receipt lives 300 seconds at most', () => {
  const draft = { ...decision().receipt, lifeSeconds: 86_400 }
  const { claims } = parseReceipt(receiptOf(decision({ record: { receipt: draft } })))
  expect(claims.exp - claims.iat).toBe(300)
})

test.each(['', 'a.b', 'a.b.c.d', 'e30.e30.e30', '!!.e30.AA'])('%j is no receipt', (text) => {
  expect(() => parseReceipt(text)).toThrow()
})
