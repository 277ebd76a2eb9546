import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ROLES } from '../../src/auth/caller.ts'
import type { DeclaredRoute } from '../../src/http/declared-routes.ts'
import { doorsOf, knock, nameOf, takesToken } from '../support/doors.ts'
import { type Service, startService } from '../support/service.ts'

const FILE = new URL('doors.txt', import.meta.url)

let service: Service
let doors: DeclaredRoute[]
let scopes: string[]

beforeAll(async () => {
  service = await startService({ working: false })
  doors = doorsOf(service)
  scopes = [...new Set(doors.flatMap(({ allow }) => allow.service ?? []))].sort()
})
afterAll(() => service.close())

/** Each with one right and no more; what their kind has no use for, they have all of. */
function tokens(): Record<string, string> {
  const staff = (name: string, roles: string[]) => mint('support_agent', { sub: name, roles, scope: everyScope, client_id: name })
  const { mint } = service.issuer
  const [everyScope, everyRole] = [scopes.join(' '), [...ROLES]]
  return {
    person: mint('portal', { sub: 'u-ada', client_id: 'portal', roles: everyRole, scope: everyScope }),
    'no role': staff('newcomer', ['admin', 'Agent']),
    ...Object.fromEntries(ROLES.map(role => [role.replace('privacy_', ''), staff(role, [role])])),
    'no scope': serviceWith('profile'),
  }
}
const serviceWith = (scope: string) =>
  service.issuer.mint('service', { sub: scope, client_id: `holds ${scope}`, scope, roles: [...ROLES] })
const forged = (token: string) => token.replace(/.{8}$/, 'AAAAAAAA')

/** 401, 403, or `in`: whatever it is answered there, somebody has been let through. */
async function answerAt(door: DeclaredRoute, token?: string): Promise<string> {
  const { statusCode, body } = await knock(service, door, { ...(token && { token }) })
  if (statusCode === 429) throw new Error(`${nameOf(door)} was called too often`)
  const turnedAway = [401, 403].includes(statusCode) && ['not_authenticated', 'not_allowed'].includes(JSON.parse(body).code)
  return turnedAway ? `${statusCode}` : 'in'
}

const all = (answers: string[]): string => [...new Set(answers)].join('/')

/** One line of the list: what each gets at a door, and with which scopes a service gets in. */
async function lineOf(door: DeclaredRoute): Promise<string> {
  const right = Object.values(tokens())
  const none = await answerAt(door)
  const wrong = await Promise.all([...right.map(forged), 'a.b.c'].map(token => answerAt(door, token)))
  const answers = await Promise.all(right.map(token => answerAt(door, token)))
  const withScope = await Promise.all(scopes.map(scope => answerAt(door, serviceWith(scope))))
  const opening = takesToken(door) ? scopes.filter((_, at) => withScope[at] === 'in').join(' ') || '-' : 'no token needed'
  const others = all(withScope.filter(answer => answer !== 'in' && answer !== '403'))
  return row([none, all(wrong), ...answers], opening + others, nameOf(door) + (door.oneShot ? ' once' : ''))
}

const row = (cells: string[], services: string, door: string): string =>
  `${cells.map(cell => cell.padEnd(9)).join('')}${services.padEnd(18)}${door}`

async function list(): Promise<string> {
  const lines = [row(['none', 'wrong', ...Object.keys(tokens())], 'service with', 'door')]
  const inOrder = doors.toSorted((a, b) => (a.url === b.url ? (a.method < b.method ? -1 : 1) : a.url < b.url ? -1 : 1))
  for (const door of inOrder) lines.push(await lineOf(door))
  return `${lines.join('\n')}\n`
}

describe('the doors', () => {
  test('T28 T41 let in whom the list says and nobody else, with no token, a wrong one and the right one (`npm run doors` writes it anew)', async () => {
    const found = await list()
    if (process.env.UPDATE_DOORS) writeFileSync(FILE, found)
    expect(found.split('\n')).toEqual(readFileSync(FILE, 'utf8').split('\n'))
  }, 60_000)

  test('are the same for HEAD as for GET, but where taking something leaves a trace', async () => {
    for (const door of doors.filter(
      one => one.method === 'GET' && takesToken(one) && !/\/(evidence|:n\/package)$/.test(one.url),
    )) {
      const [head, get] = [await knock(service, { ...door, method: 'HEAD' }), await knock(service, door)]
      expect([nameOf(door), head.statusCode]).toEqual([nameOf(door), get.statusCode])
    }
  })
})
