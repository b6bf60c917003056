import { gzipSync } from 'node:zlib'
import { assert, nat, property, uint8Array } from 'fast-check'
import { tarballs, unpackArchive } from '../../src/opa/tarball.ts'

interface Member {
  readonly name: string
  readonly content?: string
  readonly type?: string
  readonly size?: number
  readonly prefix?: string
}

function header({ name, content = '', type = '0', size, prefix = '' }: Member): Buffer {
  const block = Buffer.alloc(512)
  block.write(name, 0)
  block.write('0000600\0', 100)
  block.write((size ?? Buffer.byteLength(content)).toString(8).padStart(11, '0'), 124)
  block.write('        ', 148)
  block.write(type, 156)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function tar(members: readonly Member[]): Buffer {
  const blocks = members.flatMap((member) => {
    const content = Buffer.from(member.content ?? '')
    return [header(member), content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

const archive = (...members: Member[]): Buffer => gzipSync(tar(members))
const messageOf = (bytes: Uint8Array): string => tarballs.unpack(bytes).findings[0]?.message ?? ''

describe('a bundle archive', () => {
  test('gives its files, from the root that opa build writes', () => {
    const bytes = archive(
      { name: '/data.json', content: '{"a":1}' },
      { name: './policies/', type: '5' },
      { name: './policies/x.rego', content: 'package guardrails.x\n' },
      { name: 'y.rego', prefix: 'deep/er', content: 'package guardrails.y\n' },
      { name: '/.manifest', content: '{"revision":"r1","roots":[""]}' },
      { name: '/.signatures.json', content: '{}' },
    )
    expect(tarballs.unpack(bytes)).toEqual({
      files: {
        'data.json': '{"a":1}',
        'policies/x.rego': 'package guardrails.x\n',
        'deep/er/y.rego': 'package guardrails.y\n',
      },
      revision: 'r1',
      findings: [],
    })
  })

  test.each([
    ['../evil.rego', 'no path'],
    ['a/../../evil.rego', 'no path'],
    ['//etc/passwd', 'no path'],
    ['a//b.rego', 'no path'],
    ['./../x.rego', 'no path'],
    ['', 'no path'],
  ])('refuses the name %j', (name, message) => {
    expect(messageOf(archive({ name }))).toContain(message)
  })

  test.each([
    ['1', 'hard link'],
    ['2', 'symbolic link'],
    ['3', 'device'],
    ['L', 'long name'],
    ['x', 'extended header'],
    ['g', 'global header'],
  ])('refuses type %j, a %s', (type) => {
    expect(messageOf(archive({ name: 'x.rego', type }))).toContain('no regular file')
  })

  test('refuses a member that is there twice, also as another spelling', () => {
    expect(messageOf(archive({ name: '/x.rego' }, { name: './x.rego' }))).toContain('twice')
  })

  test('refuses what unpacks to more than its limit, without unpacking it', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(100_000)
    expect(messageOf(bomb)).toContain('more than 32 MiB')
  })

  test('refuses more than 1000 members', () => {
    const members = Array.from({ length: 1001 }, (_, at) => ({ name: `${String(at)}.rego` }))
    expect(messageOf(archive(...members))).toContain('1000')
  })

  test('refuses a size that leads out of the archive, a damaged header and a missing end', () => {
    expect(messageOf(archive({ name: 'x.rego', size: 10_000_000 }))).toContain('middle of a member')
    const damaged = tar([{ name: 'x.rego' }])
    damaged[5] = 1
    expect(messageOf(gzipSync(damaged))).toContain('damaged')
    expect(messageOf(gzipSync(tar([{ name: 'x.rego' }]).subarray(0, 512)))).toContain('no end')
  })

  test('refuses what is not gzip, and texts that are not UTF-8', () => {
    expect(messageOf(Buffer.from('hello'))).toContain('not gzip')
    const latin = tar([{ name: 'x.rego', content: 'abc' }])
    latin[512] = 0xff
    expect(messageOf(gzipSync(latin))).toContain('not UTF-8')
  })

  test('refuses a compiled policy without its sources', () => {
    const unpacked = tarballs.unpack(
      archive({ name: 'policy.wasm', content: 'x' }, { name: 'data.json', content: '{}' }),
    )
    expect(unpacked.findings).toEqual([{ step: 'unpack', file: 'policy.wasm', message: expect.any(String) }])
  })

  test('never throws, whatever the bytes are', () => {
    const valid = tar([
      { name: 'x.rego', content: 'package x' },
      { name: '.manifest', content: '{"revision":1}' },
    ])
    assert(
      property(nat(valid.length - 1), nat(255), (at, byte) => {
        const changed = Buffer.from(valid)
        changed[at] = byte
        expect(Array.isArray(tarballs.unpack(gzipSync(changed)).findings)).toBe(true)
      }),
      { numRuns: 300 },
    )
    assert(property(uint8Array(), (bytes) => Array.isArray(tarballs.unpack(bytes).findings)))
  })

  test('keeps bytes that are no text as they are', () => {
    const members = unpackArchive(archive({ name: 'policy.wasm', content: '\u0000asm' })).members
    expect(members.get('policy.wasm')).toEqual(Buffer.from('\u0000asm'))
  })
})
