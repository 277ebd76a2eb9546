import { describe, expect, test } from '@jest/globals'
import type { PackageInput } from '../../src/packaging/package-input.ts'
import { HAS_BROWSER, openBrowser } from '../support/browser.ts'
import { type Tag, tagsOf } from '../support/html-reader.ts'
import { serveHttp } from '../support/loopback.ts'
import { adapter, build, dataset, part } from '../support/package-builder.ts'

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '"><a href="javascript:alert(1)">x</a>',
  "' onmouseover='alert(1)",
  '</style></title><!--',
  '&lt;b&gt; &amp; &#x3c;b&#x3e;',
  '\u2028\u2029\0\x1b\u202Eexe',
]

/** A package in which every text that can come from outside is this one. */
const filledWith = (text: string): Partial<PackageInput> => ({
  adapters: [
    adapter({
      title: text,
      datasets: [
        dataset({ title: text, fields: [{ name: text, type: text, title: text }], count: 7 }),
        dataset({ name: 'cards', title: text, outcome: 'refused', count: 0, reason: text, statute: text, until: text }),
      ],
    }),
    adapter({ name: text, title: text, status: 'failed', datasets: [] }),
  ],
  parts: [1, 2, 3, 4, 5, 6, 7].map(number => part('x', { kind: 'file', number, mediaType: text, originalName: text })),
})

const page = async (own: Partial<PackageInput> = {}): Promise<string> =>
  (await build(own)).files.get('index.html')?.toString() ?? ''
const named = (tags: Tag[], ...names: string[]) => tags.filter(({ name }) => names.includes(name))

describe('the page for reading', () => {
  const plain = page(filledWith('plain'))

  test.each(HOSTILE)('T86 has the same elements and attributes whatever the data are: %j', async text => {
    const [tags, expected] = [tagsOf(await page(filledWith(text))), tagsOf(await plain)]
    expect(tags.map(({ name, attributes }) => [name, ...attributes.keys()])).toEqual(
      expected.map(({ name, attributes }) => [name, ...attributes.keys()]),
    )
  })

  test(`T86 ${HAS_BROWSER ? 'has not an element more in a browser with scripts on, and asks nobody for anything' : 'was not opened in a browser: there is none for this machine'}`, async () => {
    if (!HAS_BROWSER) return
    const asked: string[] = []
    const pages = await Promise.all(['plain', ...HOSTILE].map(text => page(filledWith(text))))
    const server = await serveHttp(({ url = '' }, answer) => {
      asked.push(url)
      answer.setHeader('content-type', 'text/html').end(pages[Number(url.slice(1))])
    })
    const browser = await openBrowser()
    const tab = await browser.newPage()
    const alarms: string[] = []
    tab.on('dialog', dialog => alarms.push(dialog.message())).on('console', line => alarms.push(line.text()))
    const shown = []
    for (const n of pages.keys()) {
      await tab.goto(`${server.url}/${n}`, { waitUntil: 'networkidle' })
      shown.push(await tab.evaluate("[...document.querySelectorAll('*')].map(({ tagName }) => tagName).join()"))
    }
    await browser.close()
    await server.close()
    expect(shown[0]).toContain('TABLE')
    expect(new Set(shown).size).toBe(1)
    expect(asked.filter(url => url !== '/favicon.ico')).toEqual([...pages.keys()].map(n => `/${n}`))
    expect(alarms.filter(text => !text.includes('favicon'))).toEqual([])
  }, 120_000)

  test('T86 runs nothing and loads nothing', async () => {
    const tags = tagsOf(await plain)
    const [encoding, policy] = named(tags, 'meta')
    expect(encoding?.attributes.get('charset')).toBe('utf-8')
    expect(policy?.attributes.get('http-equiv')).toBe('Content-Security-Policy')
    expect(policy?.attributes.get('content')).toMatch(/^default-src 'none'; style-src 'unsafe-inline';/)
    expect(named(tags, 'script', 'img', 'link', 'iframe', 'object', 'embed', 'form', 'base', 'svg', 'math')).toEqual([])
    expect(
      tags.flatMap(({ attributes }) => [...attributes.keys()]).filter(key => /^on|^src$|^style$|^srcdoc$/.test(key)),
    ).toEqual([])
  })

  test('links to the files of the package, to its own sections, and to the authority alone', async () => {
    const { files } = await build(filledWith('plain'))
    const tags = tagsOf(await plain)
    const ids = tags.flatMap(({ attributes }) => attributes.get('id') ?? [])
    const links = named(tags, 'a').map(({ attributes }) => attributes.get('href') ?? '')
    for (const link of links)
      expect(
        link.startsWith('#') ? ids.includes(link.slice(1)) : files.has(link) || link.startsWith('https://www.edpb.europa.eu/'),
      ).toBe(true)
    expect(links.filter(link => link.startsWith('data/'))).toHaveLength(7)
  })

  test('has what assistive technology needs', async () => {
    const tags = tagsOf(await plain)
    const ids = tags.flatMap(({ attributes }) => attributes.get('id') ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    expect(named(tags, 'html')[0]?.attributes.get('lang')).toBe('en')
    expect(named(tags, 'title', 'main', 'h1')).toHaveLength(3)
    expect(named(tags, 'a')[0]?.attributes.get('href')).toBe('#main')
    expect(named(tags, 'th').every(({ attributes }) => /^(row|col)$/.test(attributes.get('scope') ?? ''))).toBe(true)
    expect(named(tags, 'table')).toHaveLength(named(tags, 'caption').length)
    for (const { attributes } of named(tags, 'section')) expect(ids).toContain(attributes.get('aria-labelledby'))
    const levels = named(tags, 'h1', 'h2', 'h3').map(({ name }) => Number(name[1]))
    levels.reduce((last, level) => {
      expect(level).toBeLessThanOrEqual(last + 1)
      return level
    }, 0)
  })

  test('begins with the answer and tells what is missing, why, and what the law wants told', async () => {
    const text = await page({
      adapters: [
        adapter({
          datasets: [dataset(), dataset({ name: 'cards', title: 'Cards', outcome: 'refused', count: 0, reason: '15_4' })],
        }),
        adapter({ name: 'crm', title: 'Newsletter', status: 'not_answered', datasets: [] }),
      ],
    })
    const words = text
      .replace(/<style>.*?<\/style>/s, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
    expect(words).toContain('1 of 2 services answered. This package is not complete.')
    expect(words).toMatch(
      /What is missing, and why .*Billing : Cards Not included, for the reason given Reason: Art\. 15\(4\) GDPR/,
    )
    expect(words).toMatch(/Newsletter Not answered/)
    expect(words).toMatch(/Stripe \(payment processor, US\): Standard Contractual Clauses/)
    expect(words).toMatch(/typically 7 years: the tax and company law/)
    expect(words).toMatch(/You can complain to the data protection authority/)
    expect(words).toMatch(/Amount in euro number/)
  })

  test('does not grow with the number of attachments', async () => {
    const parts = Array.from({ length: 700 }, (_, at) => part('x', { kind: 'file', number: at + 1, mediaType: 'text/plain' }))
    const text = await page({ adapters: [adapter({ datasets: [dataset({ count: 700 })] })], parts })
    expect(text.match(/href="data\//g)).toHaveLength(500)
    expect(text).toContain('200 more are in the same folder')
  })

  test('is in English where there is no other language', async () => {
    expect(
      tagsOf(await page({ locale: 'si-LK' }))
        .find(({ name }) => name === 'html')
        ?.attributes.get('lang'),
    ).toBe('en')
  })
})
