import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { answeredRequest } from '../support/answered-request.ts'
import { callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

/** Begins every value that is somebody else's. */
const CANARY = 'kanari4711'
const described = {
  origin: 'provided',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  recipients: [],
  retention: 'account_data',
  category: 'content',
} as const

describe('a copy of data in which others are spoken of', () => {
  let house: House
  let service: Service
  let folder: string
  let at: string
  let files: Map<string, string>

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'policy-'))
    const policy = loadPolicy()
    policy.othersRights.rules.unshift({
      name: 'our_model',
      adapter: 'library',
      dataset: 'model',
      do: 'withhold',
      reason: 'trade_secret',
      says: 'How our model works is left out.',
    })
    const path = join(folder, 'policy.yaml')
    writeFileSync(path, stringify(policy))
    house = await openHouse({
      datasets: {
        replies: {
          ...described,
          title: 'Replies',
          fields: [
            { name: 'author', type: 'string', title: 'Author', thirdParty: true },
            { name: 'participants', type: 'array', thirdParty: true },
            { name: 'text', type: 'string', freeText: true },
          ],
          count: () => 3,
          records: () => [
            `{"author":"${CANARY} Kim","views":12345678901234567890, "text":"Thank you"}`,
            `{"\\u0061uthor":"${CANARY}","author":{"name":["${CANARY}"]},"participants":[{"name":"${CANARY}"}],"text":"second"}`,
            '{"author":null,"participants":[],"text":"alone"}',
          ],
        },
        model: {
          ...described,
          title: 'Model',
          fields: [],
          count: () => 2,
          records: () => [{ weights: CANARY }],
          files: () => [{ name: `${CANARY}.bin`, mediaType: 'text/plain', content: Buffer.from(CANARY.repeat(9000)) }],
        },
      },
    })
    service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house), POLICY_FILE: path, LOG_LEVEL: 'trace' } })
    await registerAll(house, callers(service).agent(['operator']), service)
    const answered = await answeredRequest(service, ANA)
    at = answered.at
    const ana = callers(service).person(ANA.userId, ANA.email)
    const granted = await ana(answered.link, { body: {} })
    const { bytes } = await callers(service).anybody(new URL(granted.body.contentUrl).pathname)
    files = new Map(readZip(bytes).map(({ name, content }) => [name.slice(name.indexOf('/') + 1), content.toString()]))
  })
  afterAll(async () => {
    await service.close()
    await house.close()
    rmSync(folder, { recursive: true })
  })

  test('has all but what is theirs, byte for byte', () => {
    const marker = '"[withheld: rights of others]"'
    expect(files.get('data/library/replies.json')).toBe(
      `[
{"author":${marker},"views":12345678901234567890, "text":"Thank you"},
{"\\u0061uthor":${marker},"author":${marker},"participants":${marker},"text":"second"},
{"author":null,"participants":[],"text":"alone"}
]
`,
    )
    expect(files.get('data/library/replies.csv')?.split('\r\n')[1]).toBe(
      '[withheld: rights of others],,Thank you,"{""views"":12345678901234567890}"',
    )
    expect([...files.keys()].filter(path => path.includes('model'))).toEqual([])
  })

  const LOG = [
    { adapter: 'library', dataset: 'replies', field: 'author', records: 2, rule: 'others', reason: 'rights_of_others' },
    { adapter: 'library', dataset: 'replies', field: 'participants', records: 1, rule: 'others', reason: 'rights_of_others' },
    { adapter: 'library', dataset: 'model', records: 2, rule: 'our_model', reason: 'trade_secret' },
  ]

  test('says what was left out, by which rule and how often, wherever the answer is told of', async () => {
    const inOrder = (lines: { dataset: string; field?: string }[]) =>
      lines.toSorted((a, b) => `${a.dataset}${a.field}`.localeCompare(`${b.dataset}${b.field}`))
    const ana = callers(service).person(ANA.userId, ANA.email)
    const { completeness } = (await ana(at)).body
    expect(inOrder(completeness.withheld)).toEqual(inOrder(LOG.map(line => ({ ...line, article: '15(4)' }))))
    const { withheld } = JSON.parse(files.get('data/summary.json') ?? '')
    expect(inOrder(withheld)).toMatchObject(inOrder(LOG))
    expect(files.get('index.html')).toContain('How our model works is left out.')

    const { entries } = (await callers(service).agent(['privacy_officer'])(`${at}/timeline`)).body
    expect(JSON.stringify(entries)).toContain('2 × replies.author (others)')
  })

  test('is a partial answer of adapters that answered', async () => {
    const { completeness, flags } = (await callers(service).agent(['privacy_officer'])(at)).body
    expect(flags).toEqual([])
    expect(completeness).toMatchObject({ complete: false, adaptersAsked: 2, adaptersAnswered: 2 })
    expect(completeness.missing).toEqual([
      { adapter: 'library', dataset: 'replies', outcome: 'partially_completed', reason: 'rights_of_others' },
      { adapter: 'library', dataset: 'model', outcome: 'refused', reason: 'trade_secret' },
    ])
  })

  test('has nothing of theirs in it, nor has anything else that was kept of it', async () => {
    for (const [path, text] of files) expect([path, text.includes(CANARY)]).toEqual([path, false])
    expect(service.logs.filter(line => line.includes(CANARY))).toEqual([])
    const rows = await service.sql<{ row: string }>(
      'SELECT t::text AS row FROM task t UNION ALL SELECT a::text FROM audit_entry a UNION ALL SELECT p::text FROM part p',
    )
    expect(rows.length).toBeGreaterThan(10)
    expect(rows.filter(({ row }) => row.includes(CANARY))).toEqual([])
    const kept = await service.sql<{ dataset: string }>('SELECT DISTINCT dataset FROM part')
    expect(kept.map(({ dataset }) => dataset).sort()).toEqual(['account', 'replies'])
  })
})
