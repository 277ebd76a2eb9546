import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** As much of X.509 (RFC 5280) as an authority needs that exists for one test: the runtime reads certificates and writes none. */

const tlv = (tag: number, ...contents: Buffer[]): Buffer => {
  const value = Buffer.concat(contents)
  const { length } = value
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), value])
}
const sequence = (...contents: Buffer[]) => tlv(0x30, ...contents)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const BOOLEAN_TRUE = Buffer.from('0101ff', 'hex')
const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), Buffer.from('0500', 'hex'))

const nameOf = (commonName: string) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(commonName)))))
/** GeneralizedTime. */
const timeOf = (at: Date) => tlv(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))

const basicConstraints = (isAuthority: boolean) =>
  sequence(oid('551d13'), BOOLEAN_TRUE, tlv(0x04, isAuthority ? sequence(BOOLEAN_TRUE) : sequence()))
const alternativeNames = (domains: readonly string[]) =>
  sequence(oid('551d11'), tlv(0x04, sequence(...domains.map(domain => tlv(0x82, Buffer.from(domain))))))

export interface Issued {
  pem: string
  key: KeyObject
  name: string
}

export interface Wanted {
  /** In the certificate as alternative names. */
  domains?: readonly string[]
  isAuthority?: boolean
  from?: Date
  to?: Date
  bits?: number
}

/** A key and its certificate, by an authority or, without one, by itself. */
export function issue(name: string, wanted: Wanted = {}, by?: Issued): Issued {
  const { domains = [], isAuthority = false, from = new Date('2020-01-01'), to = new Date('2120-01-01'), bits = 2048 } = wanted
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const body = sequence(
    tlv(0xa0, Buffer.from('020102', 'hex')),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    SHA256_WITH_RSA,
    nameOf(by?.name ?? name),
    sequence(timeOf(from), timeOf(to)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(basicConstraints(isAuthority), ...(domains.length > 0 ? [alternativeNames(domains)] : []))),
  )
  const signature = sign('sha256', body, by?.key ?? privateKey)
  const der = sequence(body, SHA256_WITH_RSA, tlv(0x03, Buffer.from([0]), signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return { pem: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'), key: privateKey, name }
}
