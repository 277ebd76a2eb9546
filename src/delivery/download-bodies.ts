import { Type } from 'typebox'

export const DownloadBody = Type.Object(
  {
    step: Type.Optional(Type.Enum(['send', 'open'], { description: '`send` mails a code; `open` (the default) takes it.' })),
    word: Type.Optional(
      Type.String({ maxLength: 20, description: 'From the form of the page: `CODE`, typed by whoever asks for one.' }),
    ),
    code: Type.Optional(
      Type.String({ minLength: 8, maxLength: 20, description: 'Not needed with the session of the person the package is for.' }),
    ),
  },
  { additionalProperties: false, examples: [{ step: 'send' }, { step: 'open', code: 'K7QF-2M9X' }] },
)

/** A page for people, where a program gets JSON. */
export const page = (description: string) => ({ description, content: { 'text/html': { schema: Type.String() } } })

export const Granted = Type.Object(
  {
    contentUrl: Type.String(),
    expiresAt: Type.String({ format: 'date-time' }),
    bytes: Type.Integer(),
    sha256: Type.String(),
  },
  {
    description: 'The package is open: where it lies, and for how long.',
    examples: [
      {
        contentUrl: 'https://privacy.almastack.example/v1/downloads/content/<grant>',
        expiresAt: '2026-11-20T10:20:00.000Z',
        bytes: 482_113,
        sha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
      },
    ],
  },
)

/** A body that is not JSON: described for the reader of the API, sent as it is. */
export const zipFile = (description: string) => ({
  description,
  content: { 'application/zip': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) } },
})
