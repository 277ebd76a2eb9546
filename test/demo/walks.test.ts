import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { WALKS } from '../../src/demo/walks.ts'

async function demo(...options: string[]) {
  const child = spawn(process.execPath, ['src/demo/main.ts', ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, code }
}

test('the demonstration walks every right to its end, and takes everything away again', async () => {
  const { out, err, code } = await demo('--right', 'all', '--profile', 'light', '--exit', '--port', '0')
  expect([err, code]).toEqual(['', 0])
  for (const right of Object.keys(WALKS)) expect(out).toContain(`━━ ${right.replaceAll('_', ' ')}`)
  expect(out).toContain('past the point of no return')
  expect(out).toContain('the search after 30 days found it')
}, 120_000)

test('what it does not know it says, and ends with 1', async () => {
  const { out, err, code } = await demo('--right', 'oblivion', '--exit')
  expect([out, code]).toEqual(['', 1])
  expect(err).toContain('--right access|portability|')
})
