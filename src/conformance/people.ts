import { randomInt, randomUUID } from 'node:crypto'
import { hashed } from '../adapters/hash-identity.ts'
import type { Identity, Manifest } from '../adapters/protocol.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Identities of nobody, one of each type, written as those of a known person are where there is one to learn it from: an adapter may
 * keep its ids as numbers or UUIDs. Numbers are the last that four bytes hold, which no table has come to.
 */
export function nobodyOf(types: readonly string[], known: readonly Identity[] = []): Identity[] {
  return types.map(type => {
    const like = known.find(one => one.type === type)?.value ?? ''
    if (type === 'email') return { type, value: `nobody-${randomUUID()}@example.invalid` }
    if (UUID.test(like)) return { type, value: randomUUID() }
    if (/^\d+$/.test(like)) return { type, value: `2147${randomInt(100_000, 480_000)}` }
    return { type, value: `nobody-${randomUUID()}` }
  })
}

/** Of somebody's identities those that the adapter understands, as it takes them: hashed, where it takes them only so. */
export function understoodBy({ identityTypes }: Manifest, identities: readonly Identity[]): Identity[] {
  return identities.flatMap(identity => {
    const taken = identityTypes.find(({ type }) => type === identity.type)
    if (!taken) return []
    const onlyHashed = taken.formats !== undefined && !taken.formats.includes('raw')
    return [onlyHashed && identity.format !== 'sha256' ? hashed(identity.type, identity.value) : identity]
  })
}
