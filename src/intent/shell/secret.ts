/** Where a command holds the secrets that its own grammar knows: passwords of flags and variables. */
import type { Work } from './work.ts'

/** A place in one of the command's own texts. */
interface Span {
  readonly start: number
  readonly end: number
  /** Index of the word, for a command that came as an argv. */
  readonly argv?: number
}

/** Every place where what a program said is secret stands. Shapes of tokens are found for all languages alike. */
export function secretSpans(work: Work, argv: boolean): readonly Span[] {
  if (work.secrets.size === 0) return []
  const spans: Span[] = []
  work.sources.forEach((text, index) => {
    for (const secret of work.secrets) {
      for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length)) {
        const span = { start: at, end: at + secret.length }
        spans.push(argv ? { ...span, argv: index } : span)
      }
    }
  })
  return spans
}
