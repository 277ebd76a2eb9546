import { createTransport, type NodemailerError } from 'nodemailer'

export interface OutgoingMail {
  /** `<unique@host>`, chosen once and kept for every attempt: a mail sent twice is then recognised as one (RFC 5322 3.6.4). */
  messageId: string
  /** One person: who may read a letter is never a list. */
  to: { address: string; name?: string }
  subject: string
  text: string
  html: string
  headers?: Record<string, string>
}

export interface Mailer {
  /** Hands one mail to the mail server. @throws MailRefused, MailDeferred; neither says to whom the mail was */
  send(mail: OutgoingMail): Promise<{ accepted: true }>
  close(): void
}

/** The mail server will never take this mail: somebody has to look at it. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
}

/** It may go through later. The server may even have taken it: attempt it again under the same Message-ID. */
export class MailDeferred extends Error {
  override readonly name = 'MailDeferred'
}

/** Milliseconds. `idle` is without a word from the server, `total` is for everything, queueing included. */
export interface MailTimeouts {
  connect: number
  idle: number
  total: number
}

export interface MailerOptions {
  /** smtp://user:password@host:port, or smtps://. Without TLS only to this machine, unless it says `?requireTLS=false`. */
  url: string
  from: { address: string; name: string }
  timeouts?: MailTimeouts
}

/** What every mail system reads as one address: nothing quoted, folded, commented or listed. */
const PLAIN = /^[^\s"(),:;<>@[\\\]]+@[a-z0-9.-]+$/i

const TIMEOUTS: MailTimeouts = { connect: 10_000, idle: 30_000, total: 60_000 }

/** Sends over SMTP. Attempts are not repeated here: that is for whoever keeps the letter. */
export function createMailer({ url, from, timeouts = TIMEOUTS }: MailerOptions): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxRequeues: 0,
    requireTLS: requiresTls(url),
    disableFileAccess: true,
    disableUrlAccess: true,
    connectionTimeout: timeouts.connect,
    dnsTimeout: timeouts.connect,
    greetingTimeout: timeouts.connect,
    socketTimeout: timeouts.idle,
  })
  transport.on('error', () => {}) // an idle connection that breaks; a mail in progress fails by itself

  // nodemailer parses addresses leniently, lists and folded lines included: what it made of ours is checked before any of it is sent.
  transport.use('stream', (mail, next) => {
    const { to } = mail.message.getEnvelope()
    const { to: asked } = mail.data.envelope as { to: string[] }
    const one = to.length === 1 && to[0] !== undefined && to[0] === asked[0] && PLAIN.test(to[0])
    next(one ? null : new MailRefused('The recipient is not one plain address.'))
  })

  const deliver = async ({ messageId, to, subject, text, html, headers }: OutgoingMail): Promise<void> => {
    await transport.sendMail({
      messageId,
      subject,
      text,
      html,
      from,
      to: { name: to.name ?? '', address: to.address },
      envelope: { from: from.address, to: [to.address] },
      headers: { 'Auto-Submitted': 'auto-generated', ...headers }, // RFC 3834: out-of-office replies stay away
      signal: AbortSignal.timeout(timeouts.total),
    })
  }

  return {
    send: mail =>
      deliver(mail).then(
        () => ({ accepted: true }),
        error => Promise.reject(asOutcome(error)),
      ),
    close: () => transport.close(),
  }
}

/** Who writes to whom is personal data: without TLS it only goes to this machine, unless the operator says otherwise. */
export function requiresTls(url: string): boolean {
  const { hostname, searchParams } = new URL(url)
  return !['127.0.0.1', '[::1]', 'localhost'].includes(hostname) && searchParams.get('requireTLS') !== 'false'
}

/**
 * A 5xx to MAIL, RCPT or DATA is the server's last word on this mail (RFC 5321 4.2.1). A 5xx to anything before is about
 * us, a password perhaps, and no fault of the reader's address. Nothing of the server's text is kept, for it quotes the address.
 */
function asOutcome(error: NodemailerError | MailRefused): MailRefused | MailDeferred {
  if (error instanceof MailRefused) return error
  const { code = 'unknown', command = 'CONN', responseCode, response = '', permanent } = error
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
  const what = [command, responseCode ?? code, enhanced].filter(Boolean).join(' ')
  const aboutThisMail = ['API', 'MAIL FROM', 'RCPT TO', 'DATA'].includes(command)
  const refused = aboutThisMail && (permanent ?? ['EENVELOPE', 'EMESSAGE'].includes(code))
  return refused
    ? new MailRefused(`The mail server refused the mail (${what}).`)
    : new MailDeferred(`The mail did not go through (${what}).`)
}
