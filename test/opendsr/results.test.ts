import { afterEach, describe, expect, test } from '@jest/globals'
import { type Loopback, serveHttp } from '../support/loopback.ts'
import { LIKE_APPSFLYER, LIKE_MPARTICLE, type Manners, openProcessor, type Processor, SPECIFIED } from '../support/processor.ts'
import { type Asking, asking, taskFor } from '../support/processor-calls.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})

/** Asks for a copy, and has it completed with what the test says. */
async function completed(
  said: (processor: Processor) => Record<string, unknown>,
  {
    manners = SPECIFIED,
    dialect = '2.0',
    ...how
  }: { manners?: Manners; dialect?: string } & NonNullable<Parameters<typeof asking>[2]> = {},
) {
  const processor = await openProcessor(manners)
  const by = asking(processor, dialect, how)
  open.push(by, processor)
  const task = taskFor('collect')
  const accepted = await by.ask(task)
  const id = processor.latest().sent.subject_request_id
  processor.set(id, 'completed', said(processor))
  const ask = () => by.ask(task, accepted.kind === 'accepted' ? accepted.location : '')
  return { processor, by, id, ask }
}

const collected = (count: number, outcome = 'completed') => ({
  kind: 'collected',
  datasets: [{ name: 'profile', outcome, count }],
  files: count,
})

const takenBy = ({ taken }: Asking) => taken.map(({ name, mediaType, content }) => [name, mediaType, content])

describe('the results of a request', () => {
  test('are fetched with the same credentials and handed over as the file that they are', async () => {
    const { by, ask } = await completed(({ files, url }) => {
      files.set('/results/1', { status: 200, type: 'text/csv; charset=utf-8', body: 'a,b\n' })
      return { results_url: `${url}/results/1`, results_count: 340 }
    })
    expect(await ask()).toMatchObject(collected(1))
    expect(by.taken).toEqual([{ dataset: 'profile', name: 'results.csv', mediaType: 'text/csv', content: 'a,b\n' }])
  })

  test('may be several', async () => {
    const { by, ask } = await completed(({ files, url }) => {
      files.set('/r/one.json', { status: 200, body: '{}' })
      files.set('/r/two.zip', { status: 200, type: 'application/zip', body: 'PK' })
      return { results_url: [`${url}/r/one.json`, `${url}/r/two.zip`] }
    })
    expect(await ask()).toMatchObject(collected(2))
    expect(takenBy(by)).toEqual([
      ['one.json', 'application/json', '{}'],
      ['two.zip', 'application/zip', 'PK'],
    ])
  })

  test('are at a place of their own where a status does not say', async () => {
    const how = { manners: LIKE_APPSFLYER, dialect: 'appsflyer' }
    const { by, ask, processor, id } = await completed(() => ({}), how)
    processor.files.set(`/v9/download/${id}`, { status: 200, type: 'text/plain', body: 'report' })
    expect(await ask()).toMatchObject(collected(1))
    expect(takenBy(by)).toEqual([['results.txt', 'text/plain', 'report']])
  })

  test('are none where it says that there are none, wherever it points', async () => {
    const { by, ask } = await completed(({ url }) => ({ results_url: `${url}/results/1`, results_count: 0 }))
    expect(await ask()).toMatchObject(collected(0, 'no_data'))
    expect(by.taken).toEqual([])
  })

  test('are missed where it says neither where they are nor that there are none', async () => {
    const { ask } = await completed(() => ({ results_url: null }))
    expect(await ask()).toMatchObject({ kind: 'failed', code: 'not_valid' })
  })

  test('that are kept no longer have to be asked for anew', async () => {
    const { ask } = await completed(({ files, url }) => {
      files.set('/results/1', { status: 410 })
      return { results_url: `${url}/results/1` }
    })
    expect(await ask()).toMatchObject({ kind: 'failed', code: 'unexpected_status' })
  })

  test('that mParticle does not find are those of nobody; at others they are missed', async () => {
    const said = ({ url }: Processor) => ({ results_url: `${url}/results/1` })
    const key = { username: 'key', password: 'secret' }
    const { ask } = await completed(said, { manners: LIKE_MPARTICLE, dialect: 'mparticle-v3', credentials: key })
    expect(await ask()).toMatchObject(collected(0, 'no_data'))
    expect(await (await completed(said)).ask()).toMatchObject({ kind: 'failed', code: 'unexpected_status' })
  })

  test('that break off are asked for again', async () => {
    const { ask, processor } = await completed(({ url }) => ({ results_url: `${url}/results/1` }))
    processor.instead.push((req, res) => {
      if (req.url !== '/results/1') return false
      res.writeHead(200, { 'content-length': '1000' })
      res.write('half', () => res.destroy())
      return true
    })
    expect(await ask()).toMatchObject({ kind: 'later', code: 'cut' })
  })
})

describe('results at another place than the processor', () => {
  let elsewhere: Loopback
  let seen: (string | undefined)[]
  const openElsewhere = async () => {
    seen = []
    elsewhere = await serveHttp((req, res) => {
      seen.push(req.headers.authorization)
      res.end('{}')
    })
    open.push(elsewhere)
  }
  const there = () => ({ results_url: `${elsewhere.url.replace('127.0.0.1', 'localhost')}/r.json` })

  test('are not fetched where nobody named that place', async () => {
    await openElsewhere()
    const { ask } = await completed(there)
    expect(await ask()).toMatchObject({ kind: 'failed', code: 'file_refused' })
    expect(seen).toEqual([])
  })

  test('are not fetched where we may not call, though it was named', async () => {
    await openElsewhere()
    const { ask } = await completed(there, { overrides: { resultsHosts: ['localhost'] } })
    expect(await ask()).toMatchObject({ kind: 'failed', code: 'egress_denied' })
    expect(seen).toEqual([])
  })

  test.each([
    ['with our credentials where they belong there', 'same', 'Bearer t-1'],
    ['without them where they do not', 'none', undefined],
  ])('are fetched %s', async (_, resultsAuth, authorization) => {
    await openElsewhere()
    const port = new URL(elsewhere.url).port
    const { ask } = await completed(there, {
      overrides: { resultsHosts: ['localhost'], resultsAuth },
      allowedHosts: [`localhost:${port}`],
    })
    expect(await ask()).toMatchObject(collected(1))
    expect(seen).toEqual([authorization])
  })
})
