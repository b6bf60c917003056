/** URLs as transfer programs take them. */
import { hole, shown, type Field } from '../field.ts'

/** A URL, taken apart. */
export interface Url {
  /** Without user and password, unknown parts named. */
  readonly name: string
  /** May hold `hole`. */
  readonly host: string
  readonly port: string | null
  readonly scheme: string
  readonly path: string
  readonly known: boolean
  /** `user:password`, to be hidden. */
  readonly userinfo: string | null
}

/** Reads a URL; one without a scheme is http, as curl and wget guess. */
export function urlOf(field: Field): Url {
  const text = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(field.text) ? field.text : `http://${field.text}`
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#\\]*)([\s\S]*)$/.exec(text)
  const [, scheme = 'http', authority = '', path = ''] = match ?? []
  const at = authority.lastIndexOf('@')
  const hostPort = authority.slice(at + 1)
  const { host, port } = splitPort(hostPort)
  return {
    name: shown(`${scheme}://${hostPort}${path}`),
    host,
    port,
    scheme: scheme.toLowerCase(),
    path,
    known: host !== '' && !`${scheme}${hostPort}`.includes(hole),
    userinfo: at < 0 ? null : authority.slice(0, at),
  }
}

function splitPort(text: string): { readonly host: string; readonly port: string | null } {
  const port = /:(\d+)$/.exec(text)?.[1]
  return port === undefined ? { host: text, port: null } : { host: text.slice(0, -port.length - 1), port }
}

/** The file name at the end of a URL's path. */
export function remoteName(url: Url): string {
  const path = url.path.replace(/[?#].*$/s, '')
  const name = path.slice(path.lastIndexOf('/') + 1)
  return name === '' ? 'index.html' : name
}
