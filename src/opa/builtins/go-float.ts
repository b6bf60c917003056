/** Floating point as Go prints it. Precision null is the default of the verb. */

/** `%f`. */
export function fixed(value: number, precision: number | null): string {
  const digits = precision ?? 6
  return halfToEven(value.toFixed(digits), value.toFixed(Math.min(digits + guardDigits, 100)))
}

/** `%e`: an exponent has two digits at least. */
export function exponential(value: number, precision: number | null): string {
  const digits = precision ?? 6
  const [mantissa = '', exponent = ''] = value.toExponential(digits).split('e')
  const [exact = ''] = value.toExponential(Math.min(digits + guardDigits, 100)).split('e')
  return `${halfToEven(mantissa, exact)}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`
}

/** More digits than a double can hide behind a half. */
const guardDigits = 25

/** JavaScript rounds a half away from zero, Go to the even neighbour. */
function halfToEven(rounded: string, exact: string): string {
  if (!/^50*$/.test(exact.slice(-guardDigits))) return rounded
  const below = exact.slice(0, -guardDigits).replace(/\.$/, '')
  return /[02468]$/.test(below) ? below : rounded
}

/** `%g`: the shortest text that reads back, or `precision` significant digits; with an exponent when it is far from 1. */
export function general(value: number, precision: number | null): string {
  if (value === 0) return '0'
  const digits = precision === null ? shortestDigits(value) : Math.max(precision, 1)
  const [mantissa = '', exponentText = ''] = exponential(value, digits - 1).split('e')
  const exponent = Number(exponentText)
  const trimmed = withoutTrailingZeros(mantissa)
  if (exponent < -4 || exponent >= (precision === null ? 6 : digits)) return `${trimmed}e${exponentText}`
  const decimals = Math.max(0, decimalsOf(trimmed) - exponent)
  return Number(`${trimmed}e${exponent}`).toFixed(decimals)
}

/** How many digits it takes to read back the same number. */
function shortestDigits(value: number): number {
  return value.toExponential().replace(/e.*$|\D/g, '').length
}

function withoutTrailingZeros(mantissa: string): string {
  return mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
}

function decimalsOf(mantissa: string): number {
  return mantissa.split('.')[1]?.length ?? 0
}
