import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { type Service, startService } from '../support/service.ts'
import { deliveriesOnce, openAbout, type Subscriber, subscribe } from '../support/subscriber.ts'
import { startWorker } from '../support/worker-process.ts'

let service: Service
let receiver: Receiver
let crm: Subscriber

beforeAll(async () => {
  receiver = await openReceiver()
  service = await startService({ working: false, env: { ADAPTER_ALLOWED_HOSTS: receiver.host } })
  crm = await subscribe(service, receiver, 'crm', ['request.opened'])
})
afterAll(async () => {
  await service.close()
  await receiver.close()
})
beforeEach(() => {
  receiver.posted.length = 0
  receiver.answer = res => res.writeHead(204).end()
})

test('what was committed is told however often a worker is killed: before it began, and while the receiver had not answered', async () => {
  await openAbout(crm.call, 'u-1')
  expect(receiver.posted).toHaveLength(0)
  receiver.answer = () => {}
  const killed = startWorker(service)
  await eventually(() => receiver.posted.length === 1, 20_000)
  killed.kill('SIGKILL')
  await killed.exited
  const [left] = await deliveriesOnce(crm, ([one]) => one?.state === 'queued')
  expect(left).toMatchObject({ attempts: 1, lastStatus: null })

  receiver.answer = res => res.writeHead(204).end()
  const next = startWorker(service)
  const [told] = await deliveriesOnce(crm, ([one]) => one?.state === 'delivered', 40_000)
  expect(told.attempts).toBe(2)
  expect(receiver.posted.map(({ headers }) => headers['webhook-id'])).toEqual([left.id, left.id])
  next.kill('SIGTERM')
  await next.exited
}, 60_000)

test('two workers at once tell each thing once', async () => {
  for (let n = 0; n < 40; n++) await openAbout(crm.call, `u-race-${n}`)
  const other = startWorker(service)
  await other.started
  await service.app.startWorking()
  await deliveriesOnce(crm, all => all.length === 41 && all.every(({ state }) => state === 'delivered'), 30_000)
  expect(receiver.posted).toHaveLength(40)
  expect(new Set(receiver.posted.map(({ headers }) => headers['webhook-id'])).size).toBe(40)
  other.kill('SIGTERM')
  await other.exited
}, 60_000)
