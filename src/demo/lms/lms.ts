import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { accounts } from './accounts.adapter.ts'
import { analytics } from './analytics.adapter.ts'
import { billing } from './billing.adapter.ts'
import { learning } from './learning.adapter.ts'
import { seedPopulation } from './population.ts'
import type { MakeAdapter } from './service.ts'
import { support } from './support.adapter.ts'

export interface StartLms {
  /** An existing database; the five services make schemas of their own in it. */
  databaseUrl: string
  /** By adapter; random ones where not given. */
  secrets?: Readonly<Record<string, string>>
  /** By adapter; free ones where not given. */
  ports?: Readonly<Record<string, number>>
  onError?(error: unknown): void
}

export interface RunningAdapter {
  name: string
  url: string
  secret: string
  port: number
}

export interface Lms {
  adapters: RunningAdapter[]
  close(): Promise<void>
}

const SERVICES: Readonly<Record<string, MakeAdapter>> = { accounts, billing, learning, analytics, support }
const SCHEMA = readFileSync(new URL('./sql/schema.sql', import.meta.url), 'utf8')

/** Starts a small learning platform of five services on 127.0.0.1, each behind an adapter, with a few hundred people in it. */
export async function startLms({ databaseUrl, secrets = {}, ports = {}, onError }: StartLms): Promise<Lms> {
  await prepareLms(databaseUrl)
  const running = await Promise.all(
    Object.entries(SERVICES).map(async ([name, make]) => {
      const secret = secrets[name] ?? `whsec_${randomBytes(32).toString('base64')}`
      const db = new pg.Pool({ connectionString: databaseUrl, max: 4, options: '-c timezone=UTC' })
      db.on('error', error => onError?.(error)) // an idle connection that broke; the next query takes a new one
      const adapter = make({ db, secret, ...(onError && { onError }) })
      const { url, port } = await adapter.listen(ports[name] ?? 0)
      const close = () => adapter.close().then(() => db.end())
      return { name, url, secret, port, close }
    }),
  )
  return {
    adapters: running.map(({ close: _close, ...adapter }) => adapter),
    close: async () => {
      await Promise.all(running.map(({ close }) => close()))
    },
  }
}

/** Makes the tables and the people around, unless they are there. */
async function prepareLms(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(SCHEMA)
  } finally {
    await client.end()
  }
  await seedPopulation(databaseUrl)
}
