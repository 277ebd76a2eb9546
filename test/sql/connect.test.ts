import type { AddressInfo, LookupFunction } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createAddressOf } from '../../src/platform/address-of.ts'
import { OutboundError } from '../../src/platform/outbound.ts'
import { sqlConnector } from '../../src/sql/sql-connector.ts'
import { taskOf } from '../support/described-database.ts'
import { SHOP } from './shop.ts'

/** Keeps what it is told, and answers a question about TLS with `answer`. */
function listen(answer: string): Promise<{ server: Server; port: number; heard: Buffer[] }> {
  const heard: Buffer[] = []
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    socket.on('data', piece => {
      heard.push(piece)
      if (answer) socket.write(answer)
    })
  })
  return new Promise(done =>
    server.listen(0, '127.0.0.1', () => done({ server, heard, port: (server.address() as AddressInfo).port })),
  )
}

let plain: Awaited<ReturnType<typeof listen>>
let mute: Awaited<ReturnType<typeof listen>>
beforeAll(async () => {
  plain = await listen('N') // "no TLS here"
  mute = await listen('')
})
afterAll(() => {
  plain.server.close()
  mute.server.close()
})

const names: LookupFunction = (host, options, found) => {
  const address = host === 'public.example' ? '93.184.216.34' : '10.0.0.5'
  if (options.all) found(null, [{ address, family: 4 }])
  else found(null, address, 4)
}
const contactAt = (baseUrl: string) => ({
  baseUrl,
  secrets: ['whsec_none'],
  credentials: { reader: 'reader:hunter2hunter2' },
  settings: { description: SHOP },
})
const connectorFor = (allowedHosts: string[]) =>
  sqlConnector({ addressOf: createAddressOf({ allowedHosts, lookup: names }), clock: { now: () => new Date() }, timeZone: 'UTC' })

describe('a database may be called', () => {
  test.each([
    '127.0.0.1',
    '[::1]',
    '0x7f.1',
    '2130706433',
    'localhost',
    'db.internal.example',
    '169.254.169.254',
    '[::ffff:10.0.0.1]',
  ])('not at %s, unless the operator lists it', async host => {
    const connector = connectorFor([])
    await expect(connector.manifest(contactAt(`postgresql://${host}/shop`))).rejects.toMatchObject({ code: 'address_refused' })
    const task = taskOf('locate', 'x', SHOP)
    expect(await connector.ask({ ...contactAt(`postgresql://${host}/shop`), task })).toMatchObject({
      kind: 'failed',
      code: 'egress_denied',
    })
  })

  test('in public at the usual port, by the address that was judged', async () => {
    const addressOf = createAddressOf({ allowedHosts: ['db.internal.example:6432'], lookup: names })
    expect(await addressOf('public.example', 5432, 5432)).toEqual({ address: '93.184.216.34', listed: false })
    await expect(addressOf('public.example', 22, 5432)).rejects.toThrow(OutboundError)
    expect(await addressOf('db.internal.example', 6432, 5432)).toEqual({ address: '10.0.0.5', listed: true })
  })
})

describe('a password is sent', () => {
  const heardBy = ({ heard }: { heard: Buffer[] }) => Buffer.concat(heard).toString('latin1')

  test('to nobody who speaks no TLS, though they are listed', async () => {
    const connector = connectorFor([`127.0.0.1:${plain.port}`])
    const contact = contactAt(`postgresql://127.0.0.1:${plain.port}/shop`)
    const answer = await connector.ask({ ...contact, task: taskOf('locate', 'x', SHOP) })
    expect(answer).toMatchObject({ kind: 'failed', code: 'tls' })
    expect(heardBy(plain)).not.toMatch(/reader|hunter2/)
    expect(JSON.stringify(answer)).not.toContain('hunter2')
  })

  test('in clear to nobody who is not listed, whatever the address says', async () => {
    const unlisted = async () => ({ address: '127.0.0.1', listed: false })
    const connector = sqlConnector({ addressOf: unlisted, clock: { now: () => new Date() }, timeZone: 'UTC' })
    const contact = contactAt(`postgresql://public.example:${plain.port}/shop?sslmode=disable`)
    const answer = await connector.ask({ ...contact, task: taskOf('locate', 'x', SHOP) })
    expect(answer).toMatchObject({ kind: 'failed', code: 'tls' })
    expect(heardBy(plain)).not.toMatch(/reader|hunter2/)
  })
})

test('a server that says nothing holds nobody up for longer than the call may take', async () => {
  const connector = connectorFor([`127.0.0.1:${mute.port}`])
  const contact = contactAt(`postgresql://127.0.0.1:${mute.port}/shop?sslmode=disable`)
  const before = performance.now()
  const answer = await connector.ask({ ...contact, task: taskOf('locate', 'x', SHOP), signal: AbortSignal.timeout(300) })
  expect(answer).toMatchObject({ kind: 'later', code: 'aborted' })
  expect(performance.now() - before).toBeLessThan(5000)
})

test.each([
  ['/baseUrl', { baseUrl: 'mysql://db/shop' }],
  ['/baseUrl', { baseUrl: 'postgresql://a:b@db/shop' }],
  ['/baseUrl', { baseUrl: 'postgresql://db/shop?sslmode=prefer' }],
  ['/baseUrl', { baseUrl: 'postgresql://db/shop?host=/tmp' }],
  ['/credentials/reader', { credentials: {} }],
  ['/credentials/root', { credentials: { reader: 'a:b', root: 'a:b' } }],
  ['/settings', { settings: {} }],
  ['/settings', { settings: { description: SHOP, password: 'x' } }],
])('what is wrong with how it is reached has a place: %s of %j', async (pointer, wrong) => {
  const connector = connectorFor([])
  await expect(connector.manifest({ ...contactAt('postgresql://db/shop'), ...wrong })).rejects.toMatchObject({
    code: 'manifest_refused',
    errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
  })
})
