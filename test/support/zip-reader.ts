import { crc32, inflateRawSync } from 'node:zlib'

export interface ZipFile {
  name: string
  stored: boolean
  /** As the archive says it, taken as UTC. */
  date: Date
  content: Buffer
}

/**
 * Reads a ZIP as unpackers do: from the end of central directory, ZIP64 or not (APPNOTE 4.3). Independent of the library that writes.
 * Throws where sizes, checksums, methods or the two copies of a name do not agree.
 */
export function readZip(zip: Buffer): ZipFile[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  if (end < 0 || end + 22 + zip.readUInt16LE(end + 20) !== zip.length) throw new Error('no end of central directory')
  const locator = end - 20
  const large = locator >= 0 && zip.toString('latin1', locator, locator + 4) === 'PK\x06\x07'
  const end64 = large ? Number(zip.readBigUInt64LE(locator + 8)) : 0
  const count = large ? Number(zip.readBigUInt64LE(end64 + 32)) : zip.readUInt16LE(end + 10)
  let at = large ? Number(zip.readBigUInt64LE(end64 + 48)) : zip.readUInt32LE(end + 16)
  const files: ZipFile[] = []
  for (let n = 0; n < count; n++) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error(`no central header at ${at}`)
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(offset => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    files.push(readEntry(zip, at, nameLength, extraLength))
    at += 46 + nameLength + extraLength + commentLength
  }
  if (at !== (large ? end64 : end)) throw new Error('the central directory ends elsewhere')
  return files
}

function readEntry(zip: Buffer, at: number, nameLength: number, extraLength: number): ZipFile {
  const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
  const extra = zip.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
  const large = zip.readUInt32LE(at + 20) === 0xffffffff || zip.readUInt32LE(at + 42) === 0xffffffff
  if (large && extra.readUInt16LE(0) !== 1) throw new Error(`no ZIP64 sizes: ${name}`)
  const size = large ? Number(extra.readBigUInt64LE(4)) : zip.readUInt32LE(at + 24)
  const packed = large ? Number(extra.readBigUInt64LE(12)) : zip.readUInt32LE(at + 20)
  const local = large ? Number(extra.readBigUInt64LE(20)) : zip.readUInt32LE(at + 42)
  if (zip.readUInt32LE(local) !== 0x04034b50) throw new Error(`no local header: ${name}`)
  const localName = zip.readUInt16LE(local + 26)
  if (zip.toString('utf8', local + 30, local + 30 + localName) !== name) throw new Error(`two names: ${name}`)
  const start = local + 30 + localName + zip.readUInt16LE(local + 28)
  const raw = zip.subarray(start, start + packed)
  const method = zip.readUInt16LE(at + 10)
  if (method !== 0 && method !== 8) throw new Error(`unknown method: ${name}`)
  const content = method === 8 ? inflateRawSync(raw) : raw
  if (content.length !== size || crc32(content) !== zip.readUInt32LE(at + 16)) throw new Error(`damaged: ${name}`)
  return { name, stored: method === 0, date: dosDate(zip.readUInt16LE(at + 14), zip.readUInt16LE(at + 12)), content }
}

const dosDate = (date: number, time: number): Date =>
  new Date(Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2))
