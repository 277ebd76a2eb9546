import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkService, type Report } from '../../src/conformance/check-service.ts'
import { ROOT } from '../support/module-graph.ts'

export interface Sample {
  url: string
  secret: string
  close(): Promise<void>
}

/** What `npm run adapter:new` writes, in a process of its own, with one thing in its text replaced by another. */
export async function startSample([from, to]: readonly [RegExp, string] = [/$/, '']): Promise<Sample> {
  const text = await readFile(join(ROOT, 'scaffold/sample.ts'), 'utf8')
  if (!from.test(text)) throw new Error(`The sample does not say: ${from}`)
  const folder = await mkdtemp(join(tmpdir(), 'sample-'))
  const file = join(folder, 'sample.ts')
  const hurried = ['identityTypes: [', 'limits: { perMinute: 60_000, batch: 2 }, pollEvery: 0, identityTypes: ['] as const
  const kit = ['../src/adapter-kit/adapter.ts', join(ROOT, 'src/adapter-kit/adapter.ts')] as const
  await writeFile(
    file,
    text
      .replace(from, to)
      .replace(...hurried)
      .replace(...kit),
  )
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--no-warnings', file], {
    env: { ...env, DSAR_SECRET: secret, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    url: said.toString().trim(),
    secret,
    async close() {
      child.kill()
      await once(child, 'exit')
      await rm(folder, { recursive: true })
    },
  }
}

export const check = (url: string, secret: string, more: { destructive?: boolean; subjects?: boolean } = {}): Promise<Report> =>
  checkService({
    url,
    secrets: [secret],
    ...(more.subjects !== false && {
      known: [
        { type: 'user_id', value: 'u-1' },
        { type: 'email', value: 'one@example.org' },
      ],
      other: [{ type: 'user_id', value: 'u-2' }],
    }),
    destructive: more.destructive ?? true,
    patienceMs: 5_000,
  })

export const failedIn = ({ checks }: Report): string[] => checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)
