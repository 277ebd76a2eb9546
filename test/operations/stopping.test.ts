import { expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { openRawAdapter } from '../support/raw-adapter.ts'
import { startCase } from '../support/raw-case.ts'

test('a process that is asked to stop waits for no adapter, gives back what it was asking, and leaves no connection', async () => {
  const adapter = await openRawAdapter('hangs')
  const asked = Promise.withResolvers<void>()
  adapter.on.locate = () => asked.resolve()
  const one = await startCase([adapter])
  await one.ask()
  await asked.promise
  const begun = Date.now()
  await one.service.app.close()
  expect(Date.now() - begun).toBeLessThan(8000)
  const sql = one.service.sql
  expect(await sql('SELECT state, lease_until FROM task WHERE action = $1', ['locate'])).toEqual([
    { state: 'ready', lease_until: null },
  ])
  // The server's own workers are no connections, and it sees the end of one a moment after us: one that is left would stay longer.
  const others = () =>
    sql(`SELECT application_name, state, query FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`)
  await eventually(async () => (await others()).length === 0, 2000).catch(() => {})
  expect(await others()).toEqual([])
  await one.close()
})
