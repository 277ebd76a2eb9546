import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Mailbox, startMailbox } from '../../src/demo/mailbox.ts'
import { createMailer, type Mailer } from '../../src/platform/mailer.ts'

describe('the mailbox', () => {
  let mailbox: Mailbox
  let mailer: Mailer
  beforeAll(async () => {
    mailbox = await startMailbox()
    mailer = createMailer({ url: mailbox.smtpUrl, from: { name: 'Privacy office', address: 'privacy@service.test' } })
  })
  afterAll(async () => {
    mailer.close()
    await mailbox.close()
  })
  beforeEach(() => mailbox.clear())

  const send = (subject: string, html = '<p>Hello</p>', text = 'Hello') =>
    mailer.send({ messageId: `<${subject.length}@service.test>`, to: { address: 'ana@example.test' }, subject, text, html })
  const open = (path: string, init?: RequestInit) => fetch(`${mailbox.webUrl}${path}`, init)
  const newest = () => mailbox.messages().at(-1)?.number

  test('finds a mail that is there, waits for one that is to come, and says what there is when none does', async () => {
    await send('First')
    expect(await mailbox.waitFor(mail => mail.subject === 'First', 10)).toMatchObject({ text: 'Hello' })
    const second = mailbox.waitFor(mail => mail.subject === 'Second', 2_000)
    await send('Second')
    expect(await second).toMatchObject({ subject: 'Second' })
    await expect(mailbox.waitFor(mail => mail.subject === 'Third', 20)).rejects.toThrow('First | Second')
  })

  test('lists the mails, newest first, as a page and as JSON', async () => {
    await send('First')
    await send('Second')
    const page = await (await open('/')).text()
    expect(page.indexOf('Second')).toBeLessThan(page.indexOf('First'))
    expect(page).toMatch(/<html lang="en">.*<title>Mailbox<\/title>/s)
    expect(await (await open('/api/messages')).json()).toMatchObject([{ subject: 'First' }, { subject: 'Second' }])
  })

  test('shows a mail as text, with its links to follow', async () => {
    await send('A link', '<p>Hello</p>', 'Open https://service.test/packages/1?a=1&b=2 now')
    const page = await (await open(`/messages/${newest()}`)).text()
    expect(page).toContain('<a href="https://service.test/packages/1?a=1&amp;b=2">')
    expect(page).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"')
  })

  test('shows nothing of a mail as a page of its own: no script runs, nothing is loaded', async () => {
    await send('<script>alert(1)</script>', '<script>alert(2)</script>', '</pre><script>alert(3)</script>')
    for (const path of ['/', `/messages/${newest()}`]) {
      const response = await open(path)
      expect(await response.text()).not.toContain('<script')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    }
    const formatted = await open(`/messages/${newest()}/html`)
    expect(await formatted.text()).toContain('<script>alert(2)')
    expect(formatted.headers.get('content-security-policy')).toMatch(/default-src 'none';.* sandbox allow-popups/)
  })

  test('is emptied on demand, and has no page for what is not there', async () => {
    await send('First')
    const number = newest()
    expect((await open('/api/messages', { method: 'DELETE' })).status).toBe(204)
    expect(mailbox.messages()).toEqual([])
    expect((await open(`/messages/${number}`)).status).toBe(404)
    expect((await open('/', { method: 'POST' })).status).toBe(405)
  })

  test('answers to no name but that of this machine', async () => {
    const status = await new Promise(resolve => {
      request(mailbox.webUrl, { headers: { host: 'evil.example' } }, response => resolve(response.resume().statusCode)).end()
    })
    expect(status).toBe(421)
  })
})
