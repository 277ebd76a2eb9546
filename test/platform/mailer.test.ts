import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type Mailbox, startMailbox } from '../../src/demo/mailbox.ts'
import {
  createMailer,
  MailDeferred,
  type MailerOptions,
  MailRefused,
  type OutgoingMail,
  requiresTls,
} from '../../src/platform/mailer.ts'

const FROM = { name: 'Privacy office', address: 'privacy@service.test' }
const QUICK = { connect: 500, idle: 300, total: 2_000 }

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const mailerTo = (url: string, more: Partial<MailerOptions> = {}) => {
  const mailer = createMailer({ url, from: FROM, timeouts: QUICK, ...more })
  closing.push(() => mailer.close())
  return mailer
}

const aMail = (more: Partial<OutgoingMail> = {}): OutgoingMail => ({
  messageId: '<1@service.test>',
  to: { address: 'ana@example.test', name: 'Ana' },
  subject: 'Your request',
  text: 'Hello.',
  html: '<p>Hello.</p>',
  ...more,
})

const mailbox = async (): Promise<Mailbox> => {
  const box = await startMailbox()
  closing.push(() => box.close())
  return box
}

/** A mail server that behaves as told; `recipients` are those it was given, `sockets` its open connections. */
async function sink(behaviour: SMTPServerOptions | ((sockets: Set<Socket>) => SMTPServerOptions)) {
  const sockets = new Set<Socket>()
  const recipients: string[] = []
  const options = typeof behaviour === 'function' ? behaviour(sockets) : behaviour
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    ...options,
    onRcptTo: (address, session, done) => {
      recipients.push(address.address)
      if (options.onRcptTo) options.onRcptTo(address, session, done)
      else done()
    },
  })
  server.on('error', () => {})
  server.server.on('connection', socket => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closing.push(() => new Promise<void>(resolve => server.close(resolve)))
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, recipients, sockets, server }
}

const says = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode })

const failureOf = (sending: Promise<unknown>): Promise<Error> =>
  sending.then(
    () => new Error('it went through'),
    error => error,
  )

describe('a mail', () => {
  test('arrives as it was given, to one person, under the Message-ID it was given', async () => {
    const box = await mailbox()
    const mail = aMail({
      to: { address: 'ana@xn--bcher-kva.test', name: 'Ana Núñez' },
      subject: 'Grüße',
      text: 'Größe',
      html: '<p>Größe</p>',
    })
    expect(await mailerTo(box.smtpUrl).send(mail)).toEqual({ accepted: true })
    const [arrived, ...others] = box.messages()
    expect(others).toEqual([])
    expect(arrived).toMatchObject({
      envelope: { from: 'privacy@service.test', to: ['ana@bücher.test'] }, // as the mailbox reads A-labels
      messageId: '<1@service.test>',
      subject: 'Grüße',
      html: '<p>Größe</p>',
    })
    expect(arrived?.to).toContain('Ana Núñez')
    expect(arrived?.text).toContain('Größe')
  })

  test('says that a machine sent it, and carries what headers it is given', async () => {
    const box = await mailbox()
    await mailerTo(box.smtpUrl).send(aMail({ headers: { 'X-Reference': 'r-1' } }))
    expect(box.messages()[0]?.headers).toMatchObject({ 'auto-submitted': 'auto-generated', 'x-reference': 'r-1' })
  })

  test('keeps its Message-ID when it is sent again', async () => {
    const box = await mailbox()
    const mailer = mailerTo(box.smtpUrl)
    await mailer.send(aMail())
    await mailer.send(aMail())
    expect(box.messages().map(mail => mail.messageId)).toEqual(['<1@service.test>', '<1@service.test>'])
  })

  test.each([
    'v@x.test\r\nBcc: evil@x.test',
    'v@x.test\r\nRCPT TO:<evil@x.test>',
    'a@b.test,c@d.test',
    'a@b.test;c@d.test',
    '"x@evil.test y"@good.test',
    'user@good(x)evil.test',
    'user@go\u00adod.test',
    'Ana <ana@evil.test>',
    'group:a@b.test,c@d.test;',
    '',
  ])('T89 to %j is refused before the server hears of anybody', async address => {
    const { url, recipients, sockets } = await sink({})
    expect(await failureOf(mailerTo(url).send(aMail({ to: { address } })))).toBeInstanceOf(MailRefused)
    expect(recipients).toEqual([])
    expect(sockets.size).toBe(0)
  })

  test.each([
    ['name', { to: { address: 'ana@example.test', name: 'Ana\r\nRCPT TO:<evil@x.test>\r\nBcc: evil@x.test' } }],
    ['name that looks like an address', { to: { address: 'ana@example.test', name: '"x" <evil@x.test>, evil@x.test' } }],
    ['subject', { subject: 'Hello\r\nBcc: evil@x.test\r\n\r\nRCPT TO:<evil@x.test>' }],
    ['header', { headers: { 'X-Tenant': 'Brand\r\nBcc: evil@x.test' } }],
    ['header that names recipients', { headers: { Bcc: 'evil@x.test', Cc: 'evil@x.test' } }],
    ['Message-ID', { messageId: '<1@service.test>\r\nBcc: evil@x.test' }],
    ['text', { text: 'Hello\r\n.\r\nMAIL FROM:<x@x.test>\r\nRCPT TO:<evil@x.test>\r\nDATA\r\n' }],
  ])('T89 goes to its one recipient whatever its %s says', async (_, more: Partial<OutgoingMail>) => {
    const box = await mailbox()
    await mailerTo(box.smtpUrl).send(aMail(more))
    expect(box.messages().map(mail => mail.envelope.to)).toEqual([['ana@example.test']])
  })

  test.each([['name'], ['subject'], ['X-Tenant'], ['Message-ID']])(
    'T89 gets no header from a line break in its %s',
    async where => {
      const box = await mailbox()
      const text = 'one\r\nX-Evil: yes'
      const to = { address: 'ana@example.test', name: where === 'name' ? text : 'Ana' }
      await mailerTo(box.smtpUrl).send(
        aMail({
          to,
          ...(where === 'subject' && { subject: text }),
          ...(where === 'Message-ID' && { messageId: text }),
          headers: { 'X-Tenant': where === 'X-Tenant' ? text : '' },
        }),
      )
      expect(box.messages()[0]?.headers).not.toHaveProperty('x-evil')
    },
  )

  test('never reads a file or an address in place of its text', async () => {
    const box = await mailbox()
    const mailer = mailerTo(box.smtpUrl)
    const instead = (content: object) => ({ ...aMail(), text: content }) as never
    expect(await failureOf(mailer.send(instead({ path: '/etc/hostname' })))).toBeInstanceOf(Error)
    expect(await failureOf(mailer.send(instead({ href: box.webUrl })))).toBeInstanceOf(Error)
    expect(box.messages()).toEqual([])
  })
})

describe('the answer of the mail server', () => {
  test.each([
    [421, MailDeferred],
    [450, MailDeferred],
    [451, MailDeferred],
    [452, MailDeferred],
    [550, MailRefused],
    [552, MailRefused],
    [553, MailRefused],
  ])('%i to the recipient makes it %p', async (code, outcome) => {
    const { url } = await sink({
      onRcptTo: ({ address }, _, done) => done(says(code, `5.1.1 <${address}> ana@example.test: no`)),
    })
    const failure = await failureOf(mailerTo(url).send(aMail()))
    expect(failure).toBeInstanceOf(outcome)
    expect(failure.message).toContain(String(code))
  })

  test.each([
    [452, MailDeferred],
    [552, MailRefused],
    [554, MailRefused],
  ])('%i to the text makes it %p', async (code, outcome) => {
    const { url } = await sink({ onData: (stream, _, done) => stream.resume().on('end', () => done(says(code, 'No'))) })
    expect(await failureOf(mailerTo(url).send(aMail()))).toBeInstanceOf(outcome)
  })

  test('5xx to our own password is no fault of the reader: the mail waits', async () => {
    const { url } = await sink({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_, __, done) => done(says(535, 'Bad password')),
    })
    expect(await failureOf(mailerTo(url.replace('//', '//us:wrong@')).send(aMail()))).toBeInstanceOf(MailDeferred)
  })

  test('5xx on connecting is about us as well', async () => {
    const { url } = await sink({ onConnect: (_, done) => done(says(554, 'Go away')) })
    expect(await failureOf(mailerTo(url).send(aMail()))).toBeInstanceOf(MailDeferred)
  })

  test('never shows in what is reported: an error names no address', async () => {
    const { url } = await sink({
      onRcptTo: ({ address }, _, done) => done(says(550, `5.1.1 <${address}>: unknown, try evil@example.test`)),
    })
    const failure = await failureOf(mailerTo(url).send(aMail()))
    const everything = JSON.stringify([failure.message, failure.stack, failure.cause, Object.entries(failure)])
    expect(everything).not.toContain('example.test')
    expect(failure.message).toBe('The mail server refused the mail (RCPT TO 550 5.1.1).')
  })
})

describe('TLS', () => {
  test.each([
    ['smtp://mail.example.test:587', true],
    ['smtp://127.0.0.1.example.test', true],
    ['smtps://mail.example.test', true],
    ['smtp://mail.example.test?requireTLS=false', false],
    ['smtp://127.0.0.1:1025', false],
    ['smtp://user:word@localhost:1025', false],
    ['smtp://[::1]:1025', false],
  ])('%s: asked for %p', (url, required) => {
    expect(requiresTls(url)).toBe(required)
  })

  test('that is asked for and not to be had defers the mail', async () => {
    const { url, recipients } = await sink({})
    expect(await failureOf(mailerTo(`${url}?requireTLS=true`).send(aMail()))).toBeInstanceOf(MailDeferred)
    expect(recipients).toEqual([])
  })
})

describe('a mail server in trouble', () => {
  test('that is not there defers the mail', async () => {
    const { url, server } = await sink({})
    await new Promise<void>(resolve => server.close(resolve))
    expect(await failureOf(mailerTo(url).send(aMail()))).toBeInstanceOf(MailDeferred)
  })

  test('that never greets defers the mail', async () => {
    const silent = createServer(socket => closing.push(() => socket.destroy())).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    closing.unshift(() => silent.close())
    const url = `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`
    expect(await failureOf(mailerTo(url).send(aMail()))).toBeInstanceOf(MailDeferred)
  })

  test('that hangs up after the text and before its 250 defers the mail, and is not asked twice', async () => {
    let texts = 0
    const { url } = await sink(sockets => ({
      onData: stream =>
        stream.resume().on('end', () => {
          texts += 1
          for (const socket of sockets) socket.destroy()
        }),
    }))
    expect(await failureOf(mailerTo(url).send(aMail()))).toBeInstanceOf(MailDeferred)
    expect(texts).toBe(1)
  })

  test('that keeps silent for half a minute is left after the time for silence', async () => {
    const { url } = await sink({
      onRcptTo: (_, __, done) => {
        const later = setTimeout(done, 30_000)
        closing.push(() => clearTimeout(later))
      },
    })
    const started = performance.now()
    expect(await failureOf(mailerTo(url).send(aMail()))).toBeInstanceOf(MailDeferred)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('that talks on and on without an answer is left after the time for everything', async () => {
    const { url } = await sink(sockets => ({
      onRcptTo: () => {
        const drip = setInterval(() => {
          for (const socket of sockets) socket.write('250-wait\r\n')
        }, 50)
        closing.push(() => clearInterval(drip))
      },
    }))
    const timeouts = { ...QUICK, total: 600 }
    const started = performance.now()
    expect(await failureOf(mailerTo(url, { timeouts }).send(aMail()))).toBeInstanceOf(MailDeferred)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('that recovers gets the next mail over the same mailer', async () => {
    let troubled = true
    const { url, recipients } = await sink({ onRcptTo: (_, __, done) => (troubled ? done(says(421, 'Later')) : done()) })
    // Here it is the server that says no, and not our patience that ends.
    const mailer = mailerTo(url, { timeouts: { connect: 10_000, idle: 10_000, total: 20_000 } })
    expect(await failureOf(mailer.send(aMail()))).toBeInstanceOf(MailDeferred)
    troubled = false
    expect(await mailer.send(aMail())).toEqual({ accepted: true })
    expect(recipients).toEqual(['ana@example.test', 'ana@example.test'])
  })
})
