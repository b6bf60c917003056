/** Brings dist up to date; tells how many files were written. Rejects when some don't parse. */
export function build(): Promise<number>
