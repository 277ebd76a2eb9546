import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import pg from 'pg'
import type { Recording } from './record-sql.ts'

// Replays what one opened request executes, with pgbench: the same statements with the same values, new identifiers each time.

/** Twelve digits, so that they fit into the hexadecimal end of an identifier. */
const UNIQUE = String.raw`\set unique random(100000000000, 999999999999)`

export function readRecording(file: string): Recording[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Recording)
}

/** The script; `id` is that of the recorded request, and `index` the blind index of its person, in hexadecimal. */
export function scriptOf(recording: readonly Recording[], id: string, index: string): string {
  const statements = recording.map(({ text, values }) =>
    text.replace(/\$(\d+)/g, (_, n) => {
      const value = values[Number(n) - 1]
      return value === null || value === undefined ? 'NULL' : pg.escapeLiteral(value)
    }),
  )
  const own = (text: string, value: string) => text.replaceAll(value, `${value.slice(0, -12)}:unique`)
  return `${UNIQUE}\n${own(own(statements.join(';\n'), id), index)};\n`
}

/** Transactions per second of the script. @throws with what pgbench says */
export function runPgbench(
  script: string,
  databaseUrl: string,
  { clients, seconds }: { clients: number; seconds: number },
): number {
  const { stdout, stderr, status } = spawnSync(
    pgbench(),
    ['--no-vacuum', '--file', script, '--client', String(clients), '--jobs', '2', '--time', String(seconds), databaseUrl],
    { encoding: 'utf8', env: { ...process.env, PGOPTIONS: '-c role=dsar_app' } },
  )
  const rate = /tps = ([\d.]+) \(without/.exec(stdout)?.[1]
  if (status !== 0 || !rate || /ERROR/.test(stderr))
    throw new Error(`pgbench does not replay the request:\n${stderr.slice(0, 2000)}`)
  return Number(rate)
}

function pgbench(): string {
  const installed = globSync('/usr/lib/postgresql/*/bin/pgbench').sort().at(-1)
  return installed ?? 'pgbench'
}
