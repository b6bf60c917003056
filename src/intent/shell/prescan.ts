/** A look at the text before it is parsed: the parser is quadratic in nested openers and heredocs. */
import type { OpaqueCode } from '../intent.ts'
import { hole } from './field.ts'

const openersAtMost = 200
const heredocsAtMost = 64

/** Why the text is not parsed; null: it may be. */
export function refusal(text: string): { readonly code: OpaqueCode; readonly detail: string } | null {
  if (text.includes(hole)) return { code: 'unsupported_syntax', detail: 'U+FFFC is not read' }
  if (text.length <= heredocsAtMost * 2) return null
  const { openers, heredocs } = counts(text)
  if (openers > openersAtMost) return { code: 'depth_limit', detail: `more than ${openersAtMost} openers` }
  if (heredocs > heredocsAtMost)
    return { code: 'depth_limit', detail: `more than ${heredocsAtMost} heredocs` }
  return null
}

const parenthesis = 40
const less = 60
const backtick = 96
const brace = 123
const dollar = 36

function counts(text: string): { readonly openers: number; readonly heredocs: number } {
  let openers = 0
  let heredocs = 0
  let before = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === parenthesis || code === backtick) openers++
    else if (code === brace && before === dollar) openers++
    else if (code === less && before === less) heredocs++
    before = code
  }
  return { openers, heredocs }
}
