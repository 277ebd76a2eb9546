import { createHash } from 'node:crypto'

/** A file of the bag whose content is at hand. */
export interface TagFile {
  path: string
  content: Buffer
}

/** Size and SHA-256 (hexadecimal) of a file of the payload. */
export interface Listed {
  path: string
  bytes: number
  sha256: string
}

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

export const textFile = (path: string, content: string): TagFile => ({ path, content: Buffer.from(content) })

export const jsonFile = (path: string, value: unknown): TagFile => textFile(path, `${JSON.stringify(value, null, 2)}\n`)

/** The declaration that every bag starts with (RFC 8493, 2.1.1). */
export const bagDeclaration = (): TagFile => textFile('bagit.txt', 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')

/** What the bag says of itself (RFC 8493, 2.2.2). It is read before any person is known: nothing here is about one. */
export const bagInfo = (labels: Readonly<Record<string, string>>): TagFile => {
  const line = ([label, value]: [string, string]) => `${label}: ${value.replace(/\s+/g, ' ')}\n`
  return textFile('bag-info.txt', Object.entries(labels).map(line).join(''))
}

/** `<octets>.<files>` of the payload, a quick test of completeness. */
export const payloadOxum = (payload: readonly Listed[]): string =>
  `${payload.reduce((sum, { bytes }) => sum + bytes, 0)}.${payload.length}`

/** Digests of all payload files (RFC 8493, 2.1.3). The paths are ours and hold nothing that would have to be encoded. */
export const manifest = (payload: readonly Listed[]): TagFile => textFile('manifest-sha256.txt', digestLines(payload))

/** Digests of all other files (RFC 8493, 2.2.1); through the manifest among them it covers every byte of the payload. */
export const tagManifest = (tags: readonly TagFile[]): TagFile =>
  textFile('tagmanifest-sha256.txt', digestLines(tags.map(({ path, content }) => ({ path, sha256: sha256(content) }))))

const digestLines = (files: readonly { path: string; sha256: string }[]): string =>
  files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('')
