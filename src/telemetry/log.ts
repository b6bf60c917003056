/** JSON lines for operators. Nothing that a caller sent in a body, and no token, is ever handed to it. */
import pino, { type Logger } from 'pino'

export type Log = Logger

/** Where lines go. */
export interface LogSink {
  write(line: string): void
}

/** A log and the end of it. */
export interface OpenLog {
  readonly log: Log
  /** Writes what is still held back. */
  close(): void
}

/** A line may wait this long, and this many bytes of lines: one system call per line would cost more than the line. */
const flushMs = 250
const bufferBytes = 8_192

/** Lines that can't be written are dropped beyond this, rather than fill the memory. */
const maxBufferBytes = 16_777_216

/** Members that are cut out if somebody logs them all the same. */
const redacted = [
  'authorization',
  'token',
  'headers',
  'command',
  'body',
  'receipt',
  'secret',
  'password',
  'key',
]

/**
 * Opens the log.
 *
 * @param level one of pino's levels
 * @param sink instead of standard output; it gets each line at once
 */
export function openLog(level: string, sink?: LogSink): OpenLog {
  const options = {
    level,
    base: { service: 'countersign' },
    redact: { paths: redacted, censor: '‹redacted›' },
    serializers: { err: errorFields, error: errorFields },
  }
  if (sink !== undefined) return { log: pino(options, sink), close: () => undefined }
  const stream = pino.destination({ dest: 1, sync: false, minLength: bufferBytes, maxLength: maxBufferBytes })
  // A reader that went away (a closed pipe) is no reason to stop deciding.
  stream.on('error', () => undefined)
  const timer = setInterval(() => stream.flush(), flushMs).unref()
  return {
    log: pino(options, stream),
    close() {
      clearInterval(timer)
      flushQuietly(stream)
    },
  }
}

function flushQuietly(stream: { flushSync(): void }): void {
  try {
    stream.flushSync()
  } catch {
    // Not open yet, or already gone: there is nobody left to tell.
  }
}

const maxCauses = 5

/** What a line says of an error: names, codes and stack, with its causes; not the fields in which drivers keep values. */
export function errorFields(error: unknown, depth = 0): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error))
    return { message: withoutSecrets(typeof error === 'string' ? error : typeof error) }
  const code = (error as { readonly code?: unknown }).code
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: withoutSecrets(error.message),
    stack: withoutSecrets(error.stack ?? ''),
    ...(error.cause === undefined || depth >= maxCauses
      ? {}
      : { cause: errorFields(error.cause, depth + 1) }),
  }
}

const maxTextLength = 8_192
const jwt = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g
const bearer = /\b(bearer|basic)\s+[\w.~+/=-]+/gi
const userinfo = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]+@/gi
const keyBlock = /-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g

/** A text without tokens, passwords of URLs and key blocks. */
export function withoutSecrets(text: string): string {
  return text
    .slice(0, maxTextLength)
    .replace(keyBlock, '‹key›')
    .replace(jwt, '‹token›')
    .replace(bearer, '$1 ‹token›')
    .replace(userinfo, '$1‹userinfo›@')
}
