import { type Static, Type } from 'typebox'
import { SIDES } from '../requests/messages.store.ts'
import { Instant } from '../requests/request-view.ts'
import { ATTACHMENT_STATES, type Attachment } from './attachments.store.ts'

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description })

export const AttachmentView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    from: Type.Enum([...SIDES]),
    state: Type.Enum([...ATTACHMENT_STATES], {
      description:
        '`clean` ones can be named by a message; a `refused` one is destroyed at once, all others with the contents of the request.',
    }),
    name: orNull(Type.String(), 'None for support agents, and of what is destroyed.'),
    bytes: Type.Integer(),
    sha256: Type.String(),
    found: orNull(Type.String(), 'What a refused one was recognised as.'),
    messageId: orNull(Type.String({ format: 'uuid' }), 'The message it was sent with.'),
    at: Instant,
  },
  { additionalProperties: false },
)

export const EXAMPLE: Static<typeof AttachmentView> = {
  id: '019af0c2-8a11-7b0e-9d3c-71c5e2b6f404',
  from: 'person',
  state: 'scanning',
  name: 'Prüfung.pdf',
  bytes: 48_213,
  sha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
  found: null,
  messageId: null,
  at: '2026-11-20T09:12:00.000Z',
}

/** A file as it is shown, with its name where the reader may know it. */
export function viewAttachment(attachment: Attachment, name: string | null): Static<typeof AttachmentView> {
  const { id, from, state, bytes, sha256, found, messageId, at } = attachment
  return { id, from, state, name, bytes, sha256, found, messageId, at: at.toISOString() }
}
