/**
 * PostgreSQL's own parser, compiled to WebAssembly (libpg-query). The package's own entry holds one
 * instance for ever; a stack overflow inside it corrupts that instance for good, so instances are
 * made here, from a module that is compiled once, and can be thrown away.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** A statement that PostgreSQL does not parse. Anything else that a parse throws is a fault of the instance. */
export class PostgresSyntaxError extends Error {
  /** Offset into the text's UTF-8 bytes, from 0. */
  readonly cursorPosition: number

  constructor(message: string, cursorPosition: number) {
    super(message)
    this.name = 'PostgresSyntaxError'
    this.cursorPosition = cursorPosition
  }
}

/** One instance of the parser. Synchronous; each function throws `PostgresSyntaxError` on a syntax error. */
export interface PostgresParser {
  readonly parse: (sql: string) => unknown
  readonly plpgsql: (sql: string) => unknown
  readonly scan: (sql: string) => unknown
}

/** The parser's compiled code: shared with worker threads, good for any number of instances. */
export interface CompiledPostgres {
  readonly kind: 'WebAssembly.Module'
}

interface WasmInstance {
  readonly exports: unknown
}

// Node has it; the declarations of this language level and of Node do not.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => CompiledPostgres
  readonly Instance: new (module: CompiledPostgres, imports: unknown) => WasmInstance
}

/** What Emscripten's glue gives. */
interface Glue {
  readonly HEAPU8: Uint8Array
  readonly _malloc: (bytes: number) => number
  readonly _free: (pointer: number) => void
  readonly _wasm_parse_query_raw: (sql: number) => number
  readonly _wasm_free_parse_result: (result: number) => void
  readonly _wasm_parse_plpgsql: (sql: number) => number
  readonly _wasm_scan: (sql: number) => number
  readonly _wasm_free_string: (text: number) => void
}

interface GlueOptions {
  readonly instantiateWasm: (
    imports: unknown,
    done: (instance: WasmInstance, module: CompiledPostgres) => void,
  ) => unknown
}

const require = createRequire(import.meta.url)

/** Reads and compiles the parser. */
export async function compilePostgres(): Promise<CompiledPostgres> {
  return new WebAssembly.Module(await readFile(require.resolve('libpg-query/wasm/libpg-query.wasm')))
}

/** A fresh instance: 5 to 20 ms. */
export async function createPostgresParser(module: CompiledPostgres): Promise<PostgresParser> {
  const factory = require('libpg-query/wasm/libpg-query.js') as (options: GlueOptions) => Promise<Glue>
  const glue = await factory({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports)
      done(instance, module)
      return instance.exports
    },
  })
  const { _wasm_parse_plpgsql: parsePlpgsql, _wasm_scan: scan } = glue
  const memory = createMemory(glue)
  return {
    parse: (sql) => memory.withText(sql, treeReader(glue, memory)),
    plpgsql: (sql) => memory.withText(sql, answerReader(glue, memory, parsePlpgsql)),
    scan: (sql) => memory.withText(sql, answerReader(glue, memory, scan)),
  }
}

interface Memory {
  /** Calls with a pointer to the text, which ends with NUL. */
  withText(text: string, use: (pointer: number) => unknown): unknown
  /** The text that ends with NUL at a pointer. */
  text(pointer: number): string
  int(pointer: number): number
}

/** Strings in and out with the platform's own encoders: the glue's go byte by byte. */
function createMemory(glue: Glue): Memory {
  const { _malloc: allocate, _free: free } = glue
  let bytes = Buffer.from(glue.HEAPU8.buffer)
  // The memory is another one after it has grown.
  const view = (): Buffer => {
    if (bytes.buffer !== glue.HEAPU8.buffer) bytes = Buffer.from(glue.HEAPU8.buffer)
    return bytes
  }
  return {
    withText(text, use) {
      const length = Buffer.byteLength(text)
      const pointer = allocate(length + 1)
      if (pointer === 0) throw new RangeError(noMemory)
      const memory = view()
      memory.write(text, pointer, length, 'utf8')
      memory[pointer + length] = 0
      const result = use(pointer)
      // Not in a finally: after a fault the instance is thrown away, and must not be entered again.
      free(pointer)
      if (result instanceof Error) throw result
      return result
    },
    text(pointer) {
      const memory = view()
      return memory.toString('utf8', pointer, memory.indexOf(0, pointer))
    },
    int: (pointer) => view().readInt32LE(pointer),
  }
}

const noMemory = 'the parser has no memory left'

/** Reads `PgQueryParseResult {parse_tree, stderr_buffer, error}` and `PgQueryError {message, …, cursorpos at 16}`. */
function treeReader(glue: Glue, memory: Memory): (sql: number) => unknown {
  const { _wasm_parse_query_raw: parse, _wasm_free_parse_result: free } = glue
  return (sql) => {
    const result = parse(sql)
    if (result === 0) return new RangeError(noMemory)
    const error = memory.int(result + 8)
    const cursor = error === 0 ? 0 : memory.int(error + 16)
    const text = memory.text(memory.int(error === 0 ? result : error))
    free(result)
    return error === 0 ? JSON.parse(text) : fault(text, cursor)
  }
}

/** A JSON object, or else an error message. */
function answerReader(glue: Glue, memory: Memory, call: (sql: number) => number): (sql: number) => unknown {
  const { _wasm_free_string: free } = glue
  return (sql) => {
    const pointer = call(sql)
    const text = memory.text(pointer)
    free(pointer)
    return text.startsWith('{') ? JSON.parse(text) : fault(text, 0)
  }
}

/** Out of memory or stack is reported like a syntax error, and is none: the instance has to go. */
function fault(message: string, cursor: number): Error {
  return /memory exhausted|out of memory|stack depth/i.test(message)
    ? new RangeError(message)
    : new PostgresSyntaxError(message, Math.max(0, cursor - 1))
}
