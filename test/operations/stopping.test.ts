import { expect, test } from '@jest/globals'
import { openRawAdapter } from '../support/raw-adapter.ts'
import { startCase } from '../support/raw-case.ts'

test('a process stops within a second, gives back what it was asking, and leaves no connection', async () => {
  const adapter = await openRawAdapter('hangs')
  const asked = Promise.withResolvers<void>()
  adapter.on.locate = () => asked.resolve()
  const one = await startCase([adapter])
  await one.ask()
  await asked.promise
  const begun = Date.now()
  await one.service.app.close()
  expect(Date.now() - begun).toBeLessThan(1000)
  const sql = one.service.sql
  expect(await sql('SELECT state, lease_until FROM task WHERE action = $1', ['locate'])).toEqual([
    { state: 'ready', lease_until: null },
  ])
  const others = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
  expect(await sql(others)).toEqual([])
  await one.close()
})
