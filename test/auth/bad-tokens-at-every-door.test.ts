import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { DeclaredRoute } from '../../src/http/declared-routes.ts'
import { type BadToken, badTokens, PUBLISHED, signed } from '../support/bad-tokens.ts'
import { doorsOf, type Knock, knock, nameOf, takesToken } from '../support/doors.ts'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'
import { type Service, startService } from '../support/service.ts'

const HOUSE = 'https://id.example/realms/house'
const MUTE = 'https://mute.example'
const NOW = Math.floor(Date.now() / 1000)
const claims = { iss: HOUSE, aud: 'dsar', sub: 'ana', iat: NOW - 10, exp: NOW + 300 }

let service: Service
let keys: KeyServer
let attackers: KeyServer
let mute: KeyServer
let doors: DeclaredRoute[]
let bad: BadToken[]

beforeAll(async () => {
  ;[keys, attackers, mute] = await Promise.all([startKeyServer(), startKeyServer(), startKeyServer()])
  keys.keys = PUBLISHED
  mute.down = true
  const portal = { audience: 'dsar', kind: 'portal' as const, algorithms: ['RS256' as const, 'ES256' as const] }
  service = await startService({
    issuers: [
      { ...portal, issuer: HOUSE, jwksUrl: keys.url },
      { ...portal, issuer: MUTE, jwksUrl: mute.url },
    ],
    working: false,
  })
  doors = doorsOf(service).filter(takesToken)
  bad = badTokens(claims, NOW, attackers)
})
afterAll(async () => {
  await service.close()
  await Promise.all([keys, attackers, mute].map(server => server.close()))
})

/** What is answered at every door, with what the log says of each call. */
async function atEveryDoor(how: Knock) {
  const begun = service.logs.length
  const answers = await Promise.all(
    doors.map(async door => {
      const id = randomUUID()
      return { id, door: nameOf(door), answer: await knock(service, door, { ...how, headers: { 'x-request-id': id } }) }
    }),
  )
  const lines = service.logs.slice(begun).map(line => JSON.parse(line))
  const refusals = Map.groupBy(
    lines.filter(({ msg }) => msg === 'token refused'),
    ({ reqId }) => reqId,
  )
  return answers.map(one => ({ ...one, said: (refusals.get(one.id) ?? []).map(({ reason }) => reason).join() }))
}
type Knocked = Awaited<ReturnType<typeof atEveryDoor>>[number]

const refused = ({ door, answer, said }: Knocked): string =>
  `${door}: ${answer.statusCode} ${answer.json().code} ${answer.headers['www-authenticate']} because ${said}`
const asRefused = (door: DeclaredRoute, reason: string): string =>
  `${nameOf(door)}: 401 not_authenticated Bearer realm="dsar", error="invalid_token" because ${reason}`

async function countOf(reason: string): Promise<number> {
  const { body } = await service.app.server.inject('/metrics')
  return Number(new RegExp(`^auth_tokens_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(body)?.[1] ?? 0)
}

describe('at every door', () => {
  test('a good token is taken, so that what follows is refused for what is wrong with it', async () => {
    const answers = await atEveryDoor({ token: signed(claims) })
    expect(answers.filter(({ answer, said }) => answer.statusCode === 401 || said).map(refused)).toEqual([])
  })

  test('T31 to T40: a bad token is refused, with one line in the log, one count, and no word to the caller of why', async () => {
    const begun = performance.now()
    const bodies = new Set<string>()
    for (const [wrong, token, reason] of bad) {
      const before = await countOf(reason)
      const answers = await atEveryDoor({ token })
      expect([wrong, answers.map(refused)]).toEqual([wrong, doors.map(door => asRefused(door, reason))])
      expect([wrong, await countOf(reason)]).toEqual([wrong, before + doors.length])
      for (const { answer } of answers) bodies.add(answer.body)
    }
    expect(bodies.size).toBe(1)

    expect(attackers.hits).toBe(0) // T33
    const coolDowns = (performance.now() - begun) / 10_000
    expect(keys.hits).toBeLessThanOrEqual(2 + coolDowns) // T34: whatever keys are named, the issuer is hardly asked
  }, 120_000)

  test('no part of any of them is in the log', () => {
    const log = service.logs.join('')
    const parts = bad.flatMap(([, token]) => token.split('.')).filter(part => part.length > 20)
    expect(parts.length).toBeGreaterThan(100)
    expect([...new Set(parts)].filter(part => log.includes(part.slice(0, 200)))).toEqual([])
  })

  test('T38 a token whose issuer cannot be asked for its keys lets nobody in, and says to come again', async () => {
    const answers = await atEveryDoor({ token: signed({ ...claims, iss: MUTE }) })
    const seen = answers.map(({ answer, said }) => [answer.statusCode, answer.headers['retry-after'], said].join())
    expect(new Set(seen)).toEqual(new Set(['503,10,keys_unavailable']))
    expect(mute.hits).toBe(1)
  })

  test('T44 a good token in the address is refused, and not written down', async () => {
    const token = signed({ ...claims, jti: 'in-the-address' })
    const answers = await atEveryDoor({ query: `?access_token=${token}` })
    expect(answers.map(refused)).toEqual(doors.map(door => asRefused(door, 'in_url')))
    expect(service.logs.filter(line => line.includes(token.split('.')[1] ?? ''))).toEqual([])
  })
})

test('T34 a thousand unknown keys in a row are worth no more than two questions to the issuer', async () => {
  const door = doors[0] as DeclaredRoute
  const before = keys.hits
  const [, payload, signature] = signed(claims).split('.')
  const named = (kid: string) => Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid })).toString('base64url')
  for (let n = 0; n < 1000; n += 50) {
    const tokens = Array.from({ length: 50 }, (_, i) => `${named(`no-${n + i}`)}.${payload}.${signature}`)
    const answers = await Promise.all(tokens.map(token => knock(service, door, { token })))
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([401]))
  }
  expect(keys.hits - before).toBeLessThanOrEqual(2)
})

test('T40 a token that is no header of HTTP any more is answered before there is a request', async () => {
  const statusWith = (token: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const call = request(`${service.url}/v1/requests`, { headers: { authorization: `Bearer ${token}` } }, res => {
        res.resume()
        resolve(res.statusCode)
      })
      call.once('error', reject).end()
    })
  expect(await statusWith('a'.repeat(10_000))).toBe(401)
  expect(await statusWith('a'.repeat(100_000))).toBe(431)
})
