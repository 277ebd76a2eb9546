import { expect, test } from '@jest/globals'
import { openRawAdapter } from '../support/raw-adapter.ts'
import { startCase } from '../support/raw-case.ts'

test('a job that cannot be done shows on its request alone, and is done once the fault is gone, without anybody’s help', async () => {
  const adapter = await openRawAdapter('things')
  const one = await startCase([adapter])
  const { service } = one
  try {
    const [poisoned, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { collect } = adapter.on
    adapter.on.collect = async (task, res, req) => {
      poisoned.resolve()
      await free.promise
      await collect(task, res, req)
    }
    const at = await one.ask()
    await poisoned.promise
    const id = at.split('/').at(-1)
    await service.sql(`UPDATE pgboss.queue SET retry_limit = 0 WHERE name = 'build-package'`)
    await service.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
    await service.sql(
      `CREATE TRIGGER poison BEFORE INSERT ON sealed_package FOR EACH ROW WHEN (NEW.request_id = '${id}') EXECUTE FUNCTION refuse()`,
    )
    adapter.on.collect = collect
    free.resolve()
    const other = await one.ask()

    const seen = await one.see(at, ({ flags }) => flags.length > 0)
    expect([seen.state, seen.flags]).toEqual(['packaging', ['failed_job']])
    await one.see(other, ({ state }) => state === 'completed')
    const events = async () => (await one.officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)
    expect((await events()).slice(-2)).toEqual(['job_given_up', 'flag_raised'])

    await service.sql('DROP TRIGGER poison ON sealed_package')
    const again = `UPDATE pgboss.job SET start_after = now() WHERE name = 'build-package' AND state = 'created' RETURNING data`
    expect(await service.sql(again)).toEqual([{ data: { requestId: id } }]) // half a minute early
    expect((await one.see(at, ({ state }) => state === 'completed')).flags).toEqual([])
    expect(
      (await events()).filter((event: string) => ['package_sealed', 'job_given_up', 'flag_lowered'].includes(event)),
    ).toEqual(['job_given_up', 'package_sealed', 'flag_lowered'])
  } finally {
    await one.close()
  }
})
