import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test } from '@jest/globals'
import { TaskProblem } from '../../src/adapter-kit/adapter.ts'
import { ANA, call, closeAdapters, DESCRIBED, linesOf, startAdapter, taskFor } from './caller.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

afterEach(closeAdapters)

const urlIn = (line: Record<string, unknown> | undefined): string => (line as { file: { url: string } }).file.url

describe('a stream', () => {
  test('ends with who was matched and how much there was, per dataset in the scope', async () => {
    const adapter = await startAdapter({
      datasets: {
        notes: { ...DESCRIBED, count: () => 3, records: () => [{ n: 1 }, ['{"n":2}', '{"n":\n3}']] },
        empty: { ...DESCRIBED, count: () => 0, records: async function* () {} },
        unasked: { ...DESCRIBED, count: () => 1, records: () => [{ n: 9 }] },
      },
    })
    const response = await call('POST', `${adapter.url}/tasks`, taskFor('collect', { scope: { datasets: ['notes', 'empty'] } }))
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(await linesOf(response)).toEqual([
      { dataset: 'notes', record: { n: 1 } },
      { dataset: 'notes', record: { n: 2 } },
      { dataset: 'notes', record: { n: 3 } },
      { end: { matched: [ANA], counts: { notes: 3, empty: 0 } } },
    ])
  })

  test('keeps text as it is', async () => {
    const texts = ['=1+1', 'two\nlines', '"quoted"', 'සිංහල', '\u2028', '\ud800']
    const adapter = await startAdapter({
      datasets: { notes: { ...DESCRIBED, count: () => texts.length, records: () => texts.map(text => ({ text })) } },
    })
    const lines = await linesOf(await call('POST', `${adapter.url}/tasks`, taskFor('collect')))
    expect(lines.slice(0, -1).map(line => (line.record as { text: string }).text)).toEqual(texts)
  })

  test('is cut, without its end line, when reading fails on the way', async () => {
    const errors: unknown[] = []
    const adapter = await startAdapter({
      datasets: {
        notes: {
          ...DESCRIBED,
          count: () => 9,
          records: function* () {
            yield { text: 'x'.repeat(200_000) }
            throw new Error('the database went away')
          },
        },
      },
      onError: error => errors.push(error),
    })
    const response = await call('POST', `${adapter.url}/tasks`, taskFor('collect'))
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    expect(errors).toEqual([new Error('the database went away')])
  })

  test('that fails before its first byte is a plain failure, or what the author says it is', async () => {
    const failing = (error: Error) => ({
      notes: {
        ...DESCRIBED,
        count: () => 9,
        // biome-ignore lint/correctness/useYield: it fails before it can
        records: function* () {
          throw error
        },
      },
    })
    const broken = await startAdapter({ datasets: failing(new Error('no')) })
    expect((await call('POST', `${broken.url}/tasks`, taskFor('collect'))).status).toBe(500)
    const busy = await startAdapter({ datasets: failing(new TaskProblem(503, 'unavailable', 'Later.', { retryAfter: 30 })) })
    const response = await call('POST', `${busy.url}/tasks`, taskFor('collect'))
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30'])
  })

  test('is read no further than the caller reads, and ends when the caller leaves', async () => {
    let pages = 0
    const stopped = Promise.withResolvers<void>()
    const page = Array.from({ length: 1_000 }, () => `{"text":"${'x'.repeat(1_000)}"}`)
    const adapter = await startAdapter({
      datasets: {
        notes: {
          ...DESCRIBED,
          count: () => 1_000_000,
          records: function* () {
            try {
              for (; pages < 1_000; pages += 1) yield page
            } finally {
              stopped.resolve()
            }
          },
        },
      },
    })
    const response = await call('POST', `${adapter.url}/tasks`, taskFor('collect'))
    const reader = response.body?.getReader()
    await reader?.read()
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(pages).toBeLessThan(50) // of 1 MB each: what the sockets hold
    await reader?.cancel()
    await stopped.promise
    expect(pages).toBeLessThan(1_000)
  })

  test('of a hundred million bytes does not fill the memory on its way', async () => {
    const page = Array.from({ length: 2_500 }, () => `{"text":"${'x'.repeat(370)}"}`)
    const adapter = await startAdapter({
      datasets: {
        notes: {
          ...DESCRIBED,
          count: () => 250_000,
          records: function* () {
            for (let at = 0; at < 100; at += 1) yield page
          },
        },
      },
    })
    const live = async () => {
      collectGarbage()
      await new Promise(setImmediate)
      collectGarbage()
      return process.memoryUsage().heapUsed + process.memoryUsage().external
    }
    const before = await live()
    const response = await call('POST', `${adapter.url}/tasks`, taskFor('collect'))
    let bytes = 0
    let afterNinety = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length
      if (afterNinety === 0 && bytes > 90_000_000) afterNinety = await live()
    }
    expect(bytes).toBeGreaterThan(100_000_000)
    expect(afterNinety - before).toBeLessThan(30_000_000)
  })
})

describe('a file', () => {
  const big = Buffer.alloc(1_000_000, 'abc')
  const files = () => [
    { name: '../දිනපොත.txt', mediaType: 'text/plain', content: Buffer.from('hello') },
    { name: 'big.bin', mediaType: 'application/octet-stream', size: big.length, key: 'ana@example.org/big.bin' },
  ]
  const start = () =>
    startAdapter({
      datasets: { papers: { ...DESCRIBED, count: () => 2, files } },
      openFile: async key =>
        key === 'ana@example.org/big.bin' ? Readable.from([big.subarray(0, 10), big.subarray(10)]) : undefined,
    })

  test('that is small travels in the stream, any other is fetched by its link', async () => {
    const adapter = await start()
    const [small, large, end] = await linesOf(await call('POST', `${adapter.url}/tasks`, taskFor('collect')))
    expect(small).toEqual({
      dataset: 'papers',
      file: { name: '../දිනපොත.txt', mediaType: 'text/plain', size: 5, base64: 'aGVsbG8=' },
    })
    expect(end).toEqual({ end: { matched: [ANA], counts: { papers: 2 } } })
    const url = urlIn(large)
    expect(url).not.toContain('ana')
    const response = await fetch(url)
    expect(response.headers.get('content-length')).toBe('1000000')
    expect(response.headers.get('content-disposition')).toBe('attachment')
    expect(big.equals(Buffer.from(await response.arrayBuffer()))).toBe(true)
  })

  test('is not had by a link that was changed', async () => {
    const adapter = await start()
    const [, large] = await linesOf(await call('POST', `${adapter.url}/tasks`, taskFor('collect')))
    const url = urlIn(large)
    const at = url.length - 5
    const changed = `${url.slice(0, at)}${url[at] === 'A' ? 'B' : 'A'}${url.slice(at + 1)}`
    expect((await fetch(changed)).status).toBe(404)
    expect((await fetch(`${adapter.url}/files/short`)).status).toBe(404)
  })

  test.each(['short', 'much too long'])('of another length than announced does not arrive whole: %s', async content => {
    const adapter = await startAdapter({
      datasets: {
        papers: { ...DESCRIBED, count: () => 1, files: () => [{ name: 'a', mediaType: 'text/plain', size: 9, key: 'k' }] },
      },
      openFile: async () => Buffer.from(content),
    })
    const [line] = await linesOf(await call('POST', `${adapter.url}/tasks`, taskFor('collect')))
    await expect(fetch(urlIn(line)).then(response => response.text())).rejects.toThrow()
  })
})
