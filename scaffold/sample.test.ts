import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { checkService, readable } from '../src/conformance/check-service.ts'
import { adapter } from './sample.ts'

after(() => adapter.close())

test('it keeps to the protocol', async () => {
  const { url } = await adapter.listen()
  const report = await checkService({
    url,
    secrets: [process.env.DSAR_SECRET ?? ''],
    known: [{ type: 'user_id', value: 'u-1' }], // is erased in the end
    other: [{ type: 'user_id', value: 'u-2' }],
    destructive: true,
  })
  assert.ok(report.passed, readable(report))
})
