import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createApp } from '../../src/app.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { type Call, callers } from '../support/callers.ts'
import { openRawAdapter, registerRaw } from '../support/raw-adapter.ts'
import { type Service, startService } from '../support/service.ts'

const POLICY = loadPolicy()
let service: Service
beforeAll(async () => {
  service = await startService({ working: false })
})
afterAll(() => service.close())

describe('the privacy policy', () => {
  test('is read by anybody, as data, with every version there was', async () => {
    const { anybody } = callers(service)
    expect((await anybody('/v1/policy')).body).toEqual(JSON.parse(JSON.stringify(POLICY)))
    const { body } = await anybody('/v1/policy/versions')
    expect(body.versions).toEqual([{ version: POLICY.version, since: expect.any(String) }])
    expect((await anybody(`/v1/policy/versions/${POLICY.version}`)).body).toEqual(JSON.parse(JSON.stringify(POLICY)))
    expect((await anybody('/v1/policy/versions/1999-01-01')).status).toBe(404)
    const { categories } = (await anybody('/v1/policy/categories')).body
    expect(categories.map(({ name }: { name: string }) => name)).toEqual(Object.keys(POLICY.categories))
  })

  test('may start under another version, and the old one stays as it was', async () => {
    const next = { ...POLICY, version: '2026-12-01', minimumAge: 14 }
    const app = await createApp({ ...service.config, policy: next })
    await app.close()
    const { anybody } = callers(service)
    expect((await anybody(`/v1/policy/versions/${POLICY.version}`)).body.minimumAge).toBe(13)
    expect((await anybody('/v1/policy/versions/2026-12-01')).body.minimumAge).toBe(14)
  })

  test('that comes before an answer is the one it is given under; what was answered before stays as it was', async () => {
    const as = callers(service)
    const ask = async (userId: string) => {
      const details = { message: 'Who are you?' }
      const opened = await as.person(userId, `${userId}@example.org`)('/v1/requests', {
        body: { type: 'inquiry', subject: {}, details },
      })
      await service.sql(`UPDATE dsar_request SET state = 'assessing' WHERE id = $1`, [opened.body.id])
      return `/v1/requests/${opened.body.id}`
    }
    const refuse = async (officer: Call, at: string) => {
      const headers = { 'if-match': (await officer(at)).headers.get('etag') ?? '' }
      const body = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'It is no question about data.' }
      expect((await officer(`${at}/decisions`, { body, headers })).status).toBe(201)
    }
    const officer = as.agent(['privacy_officer'])
    const [before, after] = [await ask('u-early'), await ask('u-late')]
    await refuse(officer, before)

    const next = await createApp({ ...service.config, policy: { ...POLICY, version: '2027-01-01' } })
    await next.server.listen({ host: '127.0.0.1', port: 0 })
    const { port } = next.server.server.address() as AddressInfo
    await refuse(callers({ ...service, url: `http://127.0.0.1:${port}` }).agent(['privacy_officer']), after)
    await next.close()
    const versionOf = async (at: string) => (await officer(at)).body.policyVersion
    expect([await versionOf(before), await versionOf(after)]).toEqual([POLICY.version, '2027-01-01'])
  })

  test('cannot become another text under the same version', async () => {
    const changed = { ...POLICY, minimumAge: 16 }
    await expect(createApp({ ...service.config, policy: changed })).rejects.toThrow(
      `POLICY_FILE: version ${POLICY.version} was another text before`,
    )
  })

  test('has to tell of everything that is registered: the start names the adapter and the word', async () => {
    const adapter = await openRawAdapter('things')
    const allowed = await startService({ env: { ADAPTER_ALLOWED_HOSTS: adapter.host }, working: false })
    try {
      await registerRaw([adapter], callers(allowed).agent(['operator']), service)
      await allowed.sql(`UPDATE adapter SET manifest = jsonb_set(manifest, '{datasets,0,category}', '"horoscopes"')`)
      await expect(createApp(allowed.config)).rejects.toThrow(/adapter 'things' \/datasets\/0\/category: .*'horoscopes'/)
    } finally {
      await allowed.close()
      await adapter.close()
    }
  })
})
