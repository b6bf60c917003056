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
  /** One answered request. Written by hand: at one line per request, pino's own way costs ten times as much. */
  request(line: RequestLine): void
  /** Writes what is still held back. */
  close(): void
}

/** What the line of a request says; what is undefined is left out. */
export interface RequestLine {
  readonly requestId: string
  readonly traceId: string | undefined
  readonly method: string
  readonly route: string
  readonly status: number
  readonly micros: number
  /** Subject of the token. */
  readonly caller: string | undefined
  readonly noted:
    | {
        readonly decisionId?: string
        readonly verdict?: string
        readonly replayed?: boolean
        /** Microseconds by stage. */
        readonly stages?: Readonly<Record<string, number>>
      }
    | undefined
  readonly error: { readonly code: string } | undefined
}

/** A line may wait this long, and this many bytes of lines: one system call per line would cost more than the line. */
const flushMs = 250
const bufferBytes = 65_536

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
  if (sink !== undefined) return opened(pino(options, sink), sink, () => undefined)
  const stream = pino.destination({
    dest: 1,
    sync: false,
    maxLength: maxBufferBytes,
    maxWrite: 2 * bufferBytes,
  })
  // A reader that went away (a closed pipe) is no reason to stop deciding.
  stream.on('error', () => undefined)
  const lines = new Lines(stream)
  const timer = setInterval(() => lines.flush(), flushMs).unref()
  return opened(pino(options, lines), lines, () => {
    clearInterval(timer)
    lines.flush()
    flushQuietly(stream)
  })
}

/** Hands lines on in lots. The stream has such a buffer too, but measures it anew with each line. */
class Lines implements LogSink {
  private readonly sink: LogSink
  private held = ''

  constructor(sink: LogSink) {
    this.sink = sink
  }

  write(line: string): void {
    this.held += line
    if (this.held.length > bufferBytes) this.flush()
  }

  flush(): void {
    const lines = this.held
    this.held = ''
    if (lines !== '') this.sink.write(lines)
  }
}

function opened(log: Log, sink: LogSink, close: () => void): OpenLog {
  return {
    log,
    close,
    request(line) {
      if (line.status >= 500) log.error({ ...plainFields(line), err: line.error }, 'request')
      else if (log.isLevelEnabled('info')) sink.write(requestText(line))
    },
  }
}

function plainFields({ noted, error, ...line }: RequestLine): Readonly<Record<string, unknown>> {
  return { ...line, decisionId: noted?.decisionId, verdict: noted?.verdict, code: error?.code }
}

/** The same members as pino would write. Ids and routes are plain by construction; the subject of a token is not. */
function requestText(line: RequestLine): string {
  const { noted, error } = line
  let text = `{"level":30,"time":${Date.now()},"service":"countersign","requestId":"${line.requestId}","method":"${line.method}","route":"${line.route}","status":${line.status},"micros":${line.micros}`
  if (line.traceId !== undefined) text += `,"traceId":"${line.traceId}"`
  if (line.caller !== undefined) text += `,"caller":${JSON.stringify(line.caller)}`
  if (error !== undefined) text += `,"code":"${error.code}"`
  if (noted !== undefined) text += notedText(noted)
  return `${text},"msg":"request"}\n`
}

function notedText({ decisionId, verdict, replayed, stages }: NonNullable<RequestLine['noted']>): string {
  let text = ''
  if (decisionId !== undefined) text += `,"decisionId":"${decisionId}"`
  if (verdict !== undefined) text += `,"verdict":"${verdict}"`
  if (replayed === true) text += ',"replayed":true'
  if (stages !== undefined) text += `,"stages":${JSON.stringify(stages)}`
  return text
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
