/** Colour for people at a terminal, and plain text for everybody else (also when NO_COLOR is set). */
const CODES = { bold: [1, 22], dim: [2, 22], yellow: [33, 39] } as const

/** The text in a style, where standard output shows it. Node honours NO_COLOR and FORCE_COLOR. */
export function styleText(style: keyof typeof CODES, text: string): string {
  if (!process.stdout.isTTY || !process.stdout.hasColors()) return text
  const [on, off] = CODES[style]
  return `\u001b[${on}m${text}\u001b[${off}m`
}
