import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { roleOf } from '../../src/sql/connect.ts'
import { type DescribedDatabase, openDescribed } from '../support/described-database.ts'
import { SHOP, SHOP_ROWS, SHOP_SQL } from './shop.ts'

let shop: DescribedDatabase
let dir: string
beforeAll(async () => {
  shop = await openDescribed(SHOP, SHOP_SQL + SHOP_ROWS)
  dir = mkdtempSync(join(tmpdir(), 'dataset-'))
})
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true })
  await shop.close()
})

interface Ran {
  code: number
  out: string
}

const run = (script: string, ...given: string[]): Promise<Ran> =>
  new Promise(done =>
    execFile(process.execPath, [`src/${script}.ts`, ...given], (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr }),
    ),
  )

function file(text: string): string {
  const path = join(dir, 'dataset.yaml')
  writeFileSync(path, text)
  return path
}

describe('the two commands', () => {
  test('a draft of a database says where something is to be chosen, and once it is chosen it can be used', async () => {
    const drafted = await run('dataset-scaffold', '--database', shop.url, '--subject', 'people.id', '--name', 'shop')
    expect(drafted.code).toBe(0)
    expect(drafted.out).toContain('via: line_notes')
    const before = await run('dataset-lint', file(drafted.out), '--database', shop.url)
    expect(before.code).toBe(1)
    expect(before.out).toContain('error /tables/people/erase/action: ')
    const chosen = drafted.out
      .replaceAll('action: choose', 'action: delete')
      .replaceAll('origin: choose', 'origin: provided')
      .replaceAll('because: choose', 'because: Leads to what is their own.')
      .replaceAll('category: choose', 'category: content')
      .replaceAll('retention: choose', 'retention: account_data')
      .replace(/purposes:\n( +)- choose/g, 'purposes:\n$1- provide_service')
      .replace(/legalBases:\n( +)- choose/g, 'legalBases:\n$1- contract')
    expect(chosen).not.toContain('choose')
    const [reader = '', eraser = ''] = [roleOf(shop.contact, 'reader'), roleOf(shop.contact, 'eraser')]
    const after = await run('dataset-lint', file(chosen), '--database', shop.url, '--reader', reader, '--eraser', eraser)
    expect(after.out).toMatch(/it can be used\n$/)
    expect(after.out).toMatch(/note \/tables\/passports: .*in one transaction/)
    expect(after.code).toBe(0)
  })

  test('a description is held against the policy without a database as well', async () => {
    const wrong = { ...SHOP, tables: { ...SHOP.tables, pages: { ...SHOP.tables.pages, category: 'horoscopes' } } }
    const linted = await run('dataset-lint', file(JSON.stringify(wrong)))
    expect(linted).toMatchObject({
      code: 1,
      out: expect.stringContaining('error /tables/pages/category: The privacy policy knows no category'),
    })
  })

  test('what cannot be looked into is neither good nor bad', async () => {
    expect((await run('dataset-lint', join(dir, 'nowhere.yaml'))).code).toBe(2)
    const lost = await run(
      'dataset-lint',
      file(JSON.stringify(SHOP)),
      '--database',
      'postgresql://reader:hunter2hunter2@127.0.0.1:1/x',
    )
    expect(lost.code).toBe(2)
    expect(lost.out).not.toContain('hunter2')
  })
})
