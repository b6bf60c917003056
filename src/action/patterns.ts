/** Patterns of names: claims of tokens, and endpoints of pinned targets. Linear in the text, no regular expressions. */

/** Whether a claim covers a name: an exact one, or a prefix that ends in `*`. So `agent:x` does not cover `agent:xy`. */
export function claimCovers(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name,
  )
}

/**
 * Whether a glob matches the whole text: `*` stands for any run of characters, nothing else is special.
 * Greedy with one step back to the last star, so at most pattern times text.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0
  let inPattern = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern++
      resume = at
    } else if (inPattern < pattern.length && pattern[inPattern] === text[at]) {
      inPattern++
      at++
    } else if (star >= 0) {
      inPattern = star + 1
      at = ++resume
    } else return false
  }
  while (pattern[inPattern] === '*') inPattern++
  return inPattern === pattern.length
}
