import { expect, test } from '@jest/globals'
import { ANONYMOUS, type Caller } from '../../src/auth/caller.ts'
import { rememberServices } from '../../src/auth/remember-services.ts'

const CRM: Caller = { kind: 'service', id: 'x|crm', scopes: new Set(['subjects:lookup']) }
const AGENT: Caller = { kind: 'support_agent', id: 'x|7', subject: '7', roles: new Set(['dpo']) }

function remembering(answer: (token: string) => Caller) {
  const asked: string[] = []
  let now = 1_000_000
  const verify = rememberServices(
    async token => {
      asked.push(token)
      return answer(token)
    },
    { now: () => new Date(now) },
  )
  return { verify, asked, pass: (ms: number) => (now += ms) }
}

test('the token of a service is verified once in five seconds', async () => {
  const { verify, asked, pass } = remembering(() => CRM)
  expect(await verify('a')).toBe(CRM)
  pass(4999)
  expect(await verify('a')).toBe(CRM)
  expect(asked).toEqual(['a'])
  pass(1)
  await verify('a')
  expect(asked).toEqual(['a', 'a'])
})

test('another token is another one, by a single character too', async () => {
  const { verify, asked } = remembering(token => (token === 'a' ? CRM : ANONYMOUS))
  await verify('a')
  expect(await verify('A')).toBe(ANONYMOUS)
  expect(asked).toEqual(['a', 'A'])
})

test('a person is verified each time, and so is what was refused', async () => {
  const { verify, asked } = remembering(token => {
    if (token === 'bad') throw new Error('refused')
    return AGENT
  })
  for (const token of ['good', 'good']) await verify(token)
  for (const token of ['bad', 'bad']) await expect(verify(token)).rejects.toThrow('refused')
  expect(asked).toEqual(['good', 'good', 'bad', 'bad'])
})

test('no more than a thousand are remembered', async () => {
  const { verify, asked } = remembering(() => CRM)
  for (let n = 0; n <= 1000; n++) await verify(`${n}`)
  await verify('0')
  expect(asked).toHaveLength(1002)
})
