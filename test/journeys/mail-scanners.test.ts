import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { SAMPLES } from '../../src/demo/sample-letters.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { HAS_BROWSER, openBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

/*
 * Programs look into mails before people do: they open every link, more than once, run the scripts of the page, follow its links,
 * press its buttons and send its forms as they are.
 */
const TIMES = 10
/** Each kind of page; every press waits until the network is silent. */
const TIMES_PRESSED = 2
let one: LmsCase
/** Where the links of all letters lead, here. */
let links: string[]
/** Links to somebody else: nobody opens those in a test. */
let elsewhere: string[]

/** All that a link could change: where each request stands, what is left of links, codes and their tries, letters, the record. */
const CHANGEABLE = [
  'dsar_request',
  'link',
  'download_grant',
  'challenge',
  'letter',
  'message',
  'audit_entry',
  'contact_point',
  'subject_mark',
  'repudiation_link',
  'person_freeze',
]
const dump = async () =>
  Object.fromEntries(
    await Promise.all(
      CHANGEABLE.map(async name => [name, await one.service.sql(`SELECT t::text AS row FROM ${name} t ORDER BY 1`)] as const),
    ),
  )
/** A scanner has many addresses; all of ours are one, which is not to be what stops it. */
const fromAnotherAddress = () => one.service.sql('DELETE FROM rate_limit')

beforeAll(async () => {
  one = await startLmsCase()
  const { kamal, grace, as, officer } = one
  const completed = ({ state }: { state: string }) => state === 'completed'
  const copy = await one.open(kamal, { type: 'access' })
  await one.see(copy, completed)
  const limited = await one.open(grace, { type: 'restriction', details: { ground: '18_1_b' } })
  await one.see(limited, completed)
  const asked = await one.open(grace, { type: 'inquiry', details: { message: 'Who sees my grades?' } })
  await officer(`${asked}/messages`, { body: { text: 'Which of them do you mean?' } })
  const subject = { identities: [{ type: 'email', value: KAMAL.email }] }
  await as.anybody('/v1/requests', { body: { type: 'portability', subject } })
  const erasure = await one.open(kamal, { type: 'erasure' })
  await one.see(erasure, ({ state }) => state === 'cooling_off')
  await kamal(`${erasure}/withdrawal`, { method: 'POST' })
  const kindsOf = (state: string) => `SELECT DISTINCT kind FROM letter WHERE state ${state} 'sent' ORDER BY 1`
  await eventually(async () => {
    const sent = await one.service.sql<{ kind: string }>(kindsOf('='))
    const kinds = sent.map(({ kind }) => kind)
    const all = ['ready', 'restricted', 'message-waiting', 'identity-code', 'erasure-announced', 'withdrawn']
    return all.every(kind => kinds.includes(kind)) && (await one.service.sql(kindsOf('<>'))).length === 0
  }, 30_000)

  const written = one.service.mailbox
    .messages()
    .flatMap(({ text, html }) => `${text} ${html.replaceAll('&amp;', '&')}`.match(/https?:\/\/[^\s"<>]+/g) ?? [])
  const ours = written.filter(url => url.startsWith(one.service.config.publicUrl))
  links = [...new Set(ours)].map(url => one.service.url + url.slice(one.service.config.publicUrl.length))
  elsewhere = [...new Set(written.filter(url => !ours.includes(url)))]
}, 120_000)
afterAll(() => one.close())

describe('a program that opens every link of every letter', () => {
  test('finds one to each page that a letter can lead to, and otherwise only to where the policy says that one can complain', () => {
    const pagesOf = (text: string) => [...new Set(text.match(/(?<=\/v1\/)[\w-]+(?=\/)/g))].sort()
    expect(pagesOf(links.join(' '))).toEqual(pagesOf(JSON.stringify(SAMPLES)))
    const policy = JSON.stringify(loadPolicy())
    expect(elsewhere.filter(url => !policy.includes(url))).toEqual([])
  })

  test.each(['GET', 'HEAD', 'OPTIONS'])(`changes nothing with %s, ${TIMES} times`, async method => {
    const before = await dump()
    for (const link of links) {
      await fromAnotherAddress()
      const statuses = await Promise.all(
        Array.from(
          { length: TIMES },
          async () => (await fetch(link, { method, headers: { 'user-agent': 'Scanner/1.0' } })).status,
        ),
      )
      expect(new Set(statuses)).toEqual(new Set([method === 'OPTIONS' ? 405 : 200]))
    }
    expect(await dump()).toEqual(before)
  })

  test(`${HAS_BROWSER ? 'changes nothing in a browser with scripts on' : 'had no browser on this machine'}, pressing what can be pressed and sending its forms as they are`, async () => {
    if (!HAS_BROWSER) return
    const before = await dump()
    const browser = await openBrowser()
    const page = await browser.newPage()
    const pages = [...new Map(links.map(link => [/\/v1\/[\w-]+/.exec(link)?.[0], link])).values()]
    let pressed = 0
    for (let time = 0; time < TIMES; time++)
      for (const link of links) {
        await fromAnotherAddress()
        expect((await page.goto(link))?.status()).toBe(200)
        if (time < TIMES_PRESSED && pages.includes(link)) pressed += await pressEverything(page, link)
      }
    await browser.close()
    expect(pressed).toBeGreaterThanOrEqual(TIMES_PRESSED * pages.length * 2)
    expect(await dump()).toEqual(before)
  }, 300_000)
})

test('a person who types the word has a code mailed by the same page', async () => {
  const before = await dump()
  const link = links.find(one => one.includes('/v1/downloads/')) ?? ''
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const send = async (body: string) => (await fetch(link, { method: 'POST', headers, body })).text()
  expect(await send('step=send&word=please')).not.toContain('on its way')
  expect(await dump()).toEqual(before)
  expect(await send('step=send&word=+code')).toContain('on its way')
  expect(await dump()).not.toEqual(before)
})

/** Each way in which a program sends a form: presses its button, asks the browser to send it, and goes around the browser's check. */
const WAYS = [
  'form.querySelector("button, [type=submit]")?.click()',
  'form.noValidate = true; form.requestSubmit()',
  'HTMLFormElement.prototype.submit.call(form)',
]

/** @returns how much there was to press */
async function pressEverything(page: Page, link: string): Promise<number> {
  const [forms, others] = await page.evaluate<[number, number]>(
    "[document.forms.length, document.querySelectorAll('a[href], button, [onclick], input:not([type=hidden])').length]",
  )
  for (let n = 0; n < forms; n++)
    for (const way of WAYS) {
      await page.goto(link)
      await Promise.all([
        page.waitForLoadState('networkidle'),
        page.evaluate(
          `const form = document.forms[${n}]; for (const box of form.querySelectorAll('[type=checkbox]')) box.click(); ${way}`,
        ),
      ])
    }
  for (let n = 0; n < others; n++) {
    await page.goto(link)
    await page.evaluate(`document.querySelectorAll('a[href], button, [onclick], input:not([type=hidden])')[${n}]?.click()`)
    await page.waitForLoadState('networkidle')
  }
  return forms + others
}
