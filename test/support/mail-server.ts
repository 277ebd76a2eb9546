import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

export interface Attempt {
  recipients: string[]
  messageId: string
  raw: string
}

export interface MailServer {
  url: string
  /** Every mail whose content was sent here, taken or not. */
  attempts: Attempt[]
  /** What it says from now on to a recipient and to the content; undefined is 250. */
  says: { recipient?: number | undefined; content?: number | undefined }
  close(): Promise<void>
}

const replied = (code: number) => Object.assign(new Error('as the test wants it'), { responseCode: code })

/** A mail server that answers as it is told. */
export async function startMailServer(): Promise<MailServer> {
  const attempts: Attempt[] = []
  const says: MailServer['says'] = {}
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onRcptTo: (_address, _session, done) => done(says.recipient ? replied(says.recipient) : null),
    onData: (stream, { envelope }, done) => {
      text(stream).then(raw => {
        const [, messageId = ''] = /^message-id: (.*)$/im.exec(raw) ?? []
        attempts.push({ recipients: envelope.rcptTo.map(({ address }) => address), messageId, raw })
        done(says.content ? replied(says.content) : null)
      }, done)
    },
  })
  smtp.on('error', () => {})
  await once(smtp.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    attempts,
    says,
    close: () => new Promise<void>(resolve => smtp.close(() => resolve())),
  }
}
