/**
 * Reads an OPA bundle (a gzip tar archive) in memory. Nothing is written to disk, and an archive can
 * neither name a place outside of itself nor unpack to more than its limits.
 */
import { gunzipSync } from 'node:zlib'
import type { BundleArchives } from '../ports.ts'
import type { BundleFinding } from '../policy/bundle.ts'

const limits = {
  compressedBytes: 8 * 1024 * 1024,
  unpackedBytes: 32 * 1024 * 1024,
  members: 1000,
  pathLength: 255,
} as const

const blockBytes = 512

interface Header {
  readonly name: string
  readonly size: number
  readonly type: string
}

/** Members by path, without a leading `/` or `./`. Throws an Error whose message is for the caller. */
export function unpackArchive(archive: Uint8Array): { readonly members: ReadonlyMap<string, Uint8Array> } {
  const tar = unzipped(archive)
  const members = new Map<string, Uint8Array>()
  let at = 0
  while (at + blockBytes <= tar.length) {
    const block = tar.subarray(at, at + blockBytes)
    if (block.every((byte) => byte === 0)) return { members }
    const header = headerOf(block)
    const start = at + blockBytes
    if (start + header.size > tar.length) throw new Error('the archive ends in the middle of a member')
    addMember(members, header, tar.subarray(start, start + header.size))
    at = start + Math.ceil(header.size / blockBytes) * blockBytes
  }
  throw new Error('the archive has no end')
}

function unzipped(archive: Uint8Array): Uint8Array {
  if (archive.length > limits.compressedBytes) throw new Error('the archive is larger than 8 MiB')
  try {
    return gunzipSync(archive, { maxOutputLength: limits.unpackedBytes })
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw new Error(tooLarge ? 'the archive unpacks to more than 32 MiB' : 'the archive is not gzip', {
      cause: error,
    })
  }
}

/** POSIX ustar, with the prefix field; the rest of the header is of no use here. */
function headerOf(block: Uint8Array): Header {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (octal(block, 148, 8) !== sum) throw new Error('a header of the archive is damaged')
  const prefix = text(block, 257, 6).startsWith('ustar') ? text(block, 345, 155) : ''
  const name = text(block, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: octal(block, 124, 12),
    type: String.fromCharCode(block[156] ?? 0),
  }
}

function addMember(members: Map<string, Uint8Array>, header: Header, content: Uint8Array): void {
  if (header.type === '5') return
  // Links, devices, and the headers that would rename what follows.
  if (header.type !== '0' && header.type !== '\0') throw new Error(`"${header.name}" is no regular file`)
  const path = memberPath(header.name)
  if (members.has(path)) throw new Error(`"${path}" is twice in the archive`)
  if (members.size >= limits.members) throw new Error('the archive has more than 1000 members')
  members.set(path, content)
}

/** `opa build` writes names from the bundle's root (`/data.json`); anything else absolute is refused. */
function memberPath(name: string): string {
  const path = name.replace(/^(?:\.\/|\/)/, '')
  const steps = path.split('/')
  if (path.length > limits.pathLength || steps.some((step) => step === '' || step === '.' || step === '..')) {
    throw new Error(`"${name}" is no path inside a bundle`)
  }
  return path
}

function text(block: Uint8Array, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return decoded(end === -1 ? field : field.subarray(0, end))
}

function octal(block: Uint8Array, start: number, length: number): number {
  const digits = text(block, start, length).trim()
  if (!/^[0-7]{1,11}$/.test(digits)) throw new Error('a header of the archive is damaged')
  return Number.parseInt(digits, 8)
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new Error('a text in the archive is not UTF-8', { cause: error })
  }
}

/** Modules and data of a bundle as `opa build` writes it. */
export const tarballs: BundleArchives = {
  unpack(archive) {
    try {
      return bundleOf(unpackArchive(archive).members)
    } catch (error) {
      return { files: {}, revision: null, findings: [{ step: 'unpack', message: (error as Error).message }] }
    }
  },
}

/** Written by `opa build` and `opa sign` beside the sources; nothing in them is policy. */
const companions = new Set(['.manifest', '.signatures.json', 'policy.wasm', 'plan.json'])

function bundleOf(members: ReadonlyMap<string, Uint8Array>): ReturnType<BundleArchives['unpack']> {
  const files: Record<string, string> = {}
  for (const [path, content] of members) if (!companions.has(path)) files[path] = decoded(content)
  const findings: BundleFinding[] = []
  if (!Object.keys(files).some((path) => path.endsWith('.rego')) && members.has('policy.wasm')) {
    const message = 'holds a compiled policy without its sources; tests and invariants run on sources'
    findings.push({ step: 'unpack', file: 'policy.wasm', message })
  }
  return { files, revision: revisionOf(members.get('.manifest')), findings }
}

function revisionOf(manifest: Uint8Array | undefined): string | null {
  if (manifest === undefined) return null
  let content: unknown
  try {
    content = JSON.parse(decoded(manifest))
  } catch (error) {
    throw new Error('.manifest is not JSON', { cause: error })
  }
  const revision = (content as { readonly revision?: unknown } | null)?.revision
  return typeof revision === 'string' && /^[\x21-\x7e]{1,128}$/.test(revision) ? revision : null
}
