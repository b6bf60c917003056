/** Where a command holds the secrets that its own grammar knows: passwords of flags and variables. */
import type { Work } from './work.ts'

/** A place in one of the command's own texts. */
interface Span {
  readonly start: number
  readonly end: number
  /** Index of the word, for a command that came as an argv. */
  readonly argv?: number
}

/** More are not looked for one by one. */
const secretsAtMost = 256

/** Every place where what a program said is secret stands. Shapes of tokens are found for all languages alike. */
export function secretSpans(work: Work, argv: boolean): readonly Span[] {
  if (work.secrets.size > secretsAtMost)
    return work.sources.map((text, index) => whole(text, argv ? index : null))
  const spans: Span[] = []
  for (const secret of work.secrets) {
    const found = work.sources.flatMap((text, index) => occurrences(text, secret, argv ? index : null))
    // Put together from pieces of the text: then all of it hides the secret.
    spans.push(...(found.length > 0 || argv ? found : [whole(work.sources[0] ?? '', null)]))
  }
  return spans
}

function whole(text: string, index: number | null): Span {
  return index === null ? { start: 0, end: text.length } : { start: 0, end: text.length, argv: index }
}

function occurrences(text: string, secret: string, index: number | null): readonly Span[] {
  const spans: Span[] = []
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length)) {
    const span = { start: at, end: at + secret.length }
    spans.push(index === null ? span : { ...span, argv: index })
  }
  return spans
}
