// What a benchmark found, and the table of all of them.

export interface Figure {
  what: string
  /** What was measured, with its unit. */
  measured: string
  /** What it was to reach or not to pass; undefined where nothing was promised. */
  target?: { text: string; met: boolean }
}

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

export const atLeast = (what: string, value: number, least: number, unit = ''): Figure => ({
  what,
  measured: withUnit(value, unit),
  target: { text: `>= ${withUnit(least, unit)}`, met: value >= least },
})

export const below = (what: string, value: number, most: number, unit = ''): Figure => ({
  what,
  measured: withUnit(value, unit),
  target: { text: `< ${withUnit(most, unit)}`, met: value < most },
})

export const plain = (what: string, value: number, unit = ''): Figure => ({ what, measured: withUnit(value, unit) })

export function printTable(figures: readonly Figure[]): void {
  const rows = figures.map(({ what, measured, target }) => [what, measured, target?.text ?? '', verdictOf(target)])
  const all = [['', 'measured', 'target', ''], ...rows]
  const widths = [0, 1, 2, 3].map(column => Math.max(...all.map(row => row[column]?.length ?? 0)))
  for (const [what = '', ...others] of all)
    say([what.padEnd(widths[0] ?? 0), ...others.map((cell, i) => cell.padStart(widths[i + 1] ?? 0))].join('  ').trimEnd())
}

const verdictOf = (target: Figure['target']): string => (target ? (target.met ? 'met' : 'MISSED') : '')

function withUnit(value: number, unit: string): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toFixed(digits)}${unit && ` ${unit}`}`
}

/** The value that this share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
