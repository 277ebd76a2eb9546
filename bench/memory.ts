import { readFileSync, writeFileSync } from 'node:fs'

// How much memory a process takes, as Linux keeps count of it. Elsewhere nothing is said rather than something guessed.

const MIB_IN_KIB = 1024

/** Begins to look for a new peak. */
export function resetPeak(pid: number): void {
  if (process.platform === 'linux') writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** The most resident memory since the last reset, in MiB: the kernel's own mark, which no sample can miss. */
export const peakMemory = (pid: number): number => statusOf(pid, 'VmHWM')
export const memory = (pid: number): number => statusOf(pid, 'VmRSS')

function statusOf(pid: number, name: string): number {
  if (process.platform !== 'linux') return Number.NaN
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))
  return Number(line?.[1]) / MIB_IN_KIB
}
