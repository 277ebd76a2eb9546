import type pg from 'pg'
import type { Adapter } from '../../adapter-kit/adapter.ts'

/** What one of the five services is given: a database and the secret it shares with whoever may ask it. */
export interface Service {
  db: pg.Pool
  secret: string
  onError?(error: unknown): void
}

export type MakeAdapter = (service: Service) => Adapter
