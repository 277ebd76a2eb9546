import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import type { Mail } from './mail.ts'
import { mailboxPages } from './mailbox-pages.ts'

export type { Mail }

export interface Mailbox {
  smtpUrl: string
  webUrl: string
  /** Oldest first. */
  messages(): Mail[]
  /** The first mail that fits, already here or arriving within the milliseconds. @throws when none does */
  waitFor(fits: (mail: Mail) => boolean, milliseconds: number): Promise<Mail>
  clear(): void
  close(): Promise<void>
}

/** A mail server on this machine that takes every mail, delivers none, and shows them on a web page. Ports: free ones if 0. */
export async function startMailbox({ smtpPort = 0, httpPort = 0 } = {}): Promise<Mailbox> {
  let mails: Mail[] = []
  let count = 0
  const arrivals = new EventEmitter()
  const messages = (): Mail[] => mails
  const clear = (): void => {
    mails = []
  }

  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, session, done) => {
      readMail(stream, session).then(mail => {
        count += 1
        mails.push({ number: count, ...mail })
        arrivals.emit('mail')
        done()
      }, done)
    },
  })
  smtp.on('error', () => {}) // a connection that broke is its sender's affair
  await once(smtp.listen(smtpPort, '127.0.0.1'), 'listening')
  const web = createServer(mailboxPages({ messages, clear }))
  await once(web.listen(httpPort, '127.0.0.1'), 'listening')

  return {
    smtpUrl: `smtp://127.0.0.1:${portOf(smtp.server)}`,
    webUrl: `http://127.0.0.1:${portOf(web)}`,
    messages,
    clear,
    waitFor: async (fits, milliseconds) => {
      const signal = AbortSignal.timeout(milliseconds)
      for (;;) {
        const found = mails.find(fits)
        if (found) return found
        await once(arrivals, 'mail', { signal }).catch(() => {
          throw new Error(
            `No such mail within ${milliseconds} ms; there are: ${mails.map(mail => mail.subject).join(' | ') || 'none'}`,
          )
        })
      }
    },
    close: async () => {
      web.closeAllConnections()
      await Promise.all([new Promise(resolve => web.close(resolve)), new Promise<void>(resolve => smtp.close(resolve))])
    },
  }
}

const portOf = (server: Pick<Server, 'address'>): number => (server.address() as AddressInfo).port

async function readMail(stream: Readable, { envelope }: SMTPServerSession): Promise<Omit<Mail, 'number'>> {
  const parsed = await simpleParser(stream)
  return {
    envelope: { from: envelope.mailFrom ? envelope.mailFrom.address : '', to: envelope.rcptTo.map(({ address }) => address) },
    messageId: parsed.messageId ?? '',
    from: parsed.from?.text ?? '',
    to: [parsed.to ?? []]
      .flat()
      .map(({ text }) => text)
      .join(', '),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html || '',
    headers: Object.fromEntries(parsed.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()])),
  }
}
