import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { BlobMissing, type BlobStore } from '../../src/platform/blobs.ts'
import { openBlobStore } from '../../src/platform/open-blob-store.ts'
import { openStream, sealStream } from '../../src/platform/sealed-stream.ts'
import { openVault } from '../../src/platform/vault.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'

let root: string
let blobs: BlobStore

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'blobs-'))
  blobs = openBlobStore(`${pathToFileURL(root)}/store/`)
})
afterEach(() => rmSync(root, { recursive: true }))

const listed = (prefix: string) => Readable.from(blobs.list(prefix)).toArray()
const stored = async (prefix = '') => (await listed(prefix)).map(blob => blob.key).sort()
const files = () => readdirSync(root, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
const partials = () => readdirSync(join(root, 'store/.partial'))
const putText = (key: string, value: string) => blobs.put(key, Readable.from([Buffer.from(value)]))

/** Runs a put in a process of its own, started by `launch`, and gives back what it printed. */
function putElsewhere(launch: string, source: string) {
  const script = `
    import { openBlobStore } from ${JSON.stringify(new URL('../../src/platform/open-blob-store.ts', import.meta.url).href)}
    const source = ${source}
    const blobs = openBlobStore(${JSON.stringify(pathToFileURL(join(root, 'store')).href)})
    await blobs.put('r1/export', source()).then(() => console.log('stored'), error => console.log(error.code))`
  return spawn('sh', ['-c', `${launch} exec "$0" --no-warnings --input-type=module -e "$1"`, process.execPath, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

describe('a blob', () => {
  test('is given back as it was put, whole or in part', async () => {
    expect(await blobs.put('r1/a.bin', Readable.from([Buffer.from('hello '), Buffer.from('world')]))).toEqual({ bytes: 11 })
    expect(await blobs.size('r1/a.bin')).toBe(11)
    expect(await text(await blobs.get('r1/a.bin'))).toBe('hello world')
    expect(await text(await blobs.get('r1/a.bin', { start: 4, end: 6 }))).toBe('o w')
    expect(await text(await blobs.get('r1/a.bin', { start: 10, end: 10 }))).toBe('d')
  })

  test('may be empty', async () => {
    expect(await blobs.put('empty', Readable.from([]))).toEqual({ bytes: 0 })
    expect((await buffer(await blobs.get('empty'))).length).toBe(0)
  })

  test('is replaced by the next put, while who reads it still gets the old one', async () => {
    await putText('a', 'first')
    const reader = await blobs.get('a')
    await putText('a', 'second')
    expect(await text(reader)).toBe('first')
    expect(await text(await blobs.get('a'))).toBe('second')
  })

  test('is refused a range beyond its end', async () => {
    await putText('a', '12345')
    for (const [start, end] of [
      [0, 5],
      [-1, 2],
      [3, 2],
      [5, 5],
    ] as const) {
      await expect(blobs.get('a', { start, end })).rejects.toThrow(RangeError)
    }
  })

  test('that is not there has no size, cannot be read, and can be deleted', async () => {
    await putText('r1/a', 'x')
    for (const key of ['none', 'r2/none', 'r1', 'r1/a/b']) {
      expect(await blobs.size(key)).toBeUndefined()
      await expect(blobs.get(key)).rejects.toThrow(BlobMissing)
      await blobs.delete(key)
    }
    await blobs.delete('r1/a')
    await blobs.delete('r1/a')
    expect(await stored()).toEqual([])
  })

  test('can be read by the owner of the process only', async () => {
    await putText('r1/sub/a', 'x')
    const mode = (path: string) => statSync(join(root, 'store', path)).mode & 0o777
    expect(['', '.partial', 'r1', 'r1/sub'].map(mode)).toEqual([0o700, 0o700, 0o700, 0o700])
    expect(mode('r1/sub/a')).toBe(0o600)
  })

  test('cannot have a key that climbs, hides, or is no plain name', async () => {
    const wrong = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '..',
      'a/../b',
      'a/..',
      '.partial/x',
      'a/.b',
      'A',
      'a\0b',
      'a\\b',
      'a b',
      'a\n',
      'a'.repeat(513),
    ]
    for (const key of wrong) {
      await expect(putText(key, 'x')).rejects.toThrow(TypeError)
      await expect(blobs.get(key)).rejects.toThrow(TypeError)
      await expect(blobs.size(key)).rejects.toThrow(TypeError)
      await expect(blobs.delete(key)).rejects.toThrow(TypeError)
    }
    expect(files()).toEqual([])
  })
})

describe('a list', () => {
  test('has each blob whose key begins with the prefix, with its size and time', async () => {
    for (const key of ['r1/a', 'r1/b/c', 'r10/a', 'r2']) await putText(key, key)
    expect(await stored('')).toEqual(['r1/a', 'r1/b/c', 'r10/a', 'r2'])
    expect(await stored('r1')).toEqual(['r1/a', 'r1/b/c', 'r10/a'])
    expect(await stored('r1/')).toEqual(['r1/a', 'r1/b/c'])
    expect(await stored('none/')).toEqual([])
    const [blob] = await listed('r2')
    expect(blob).toEqual({ key: 'r2', bytes: 2, modifiedAt: statSync(join(root, 'store/r2')).mtime })
  })

  test('does not climb out', async () => {
    await expect(stored('../')).rejects.toThrow(TypeError)
  })
})

describe('a put that fails', () => {
  test('because its source does, leaves nothing, and the old blob if there was one', async () => {
    await putText('old', 'kept')
    const breaking = async function* () {
      yield Buffer.alloc(1_000_000)
      throw new Error('cut off')
    }
    for (const key of ['new', 'old']) {
      await expect(blobs.put(key, breaking())).rejects.toThrow('cut off')
      await expect(blobs.put(key, Readable.from(breaking()))).rejects.toThrow('cut off')
      await expect(blobs.put(key, new Readable().destroy(new Error('cut off')))).rejects.toThrow('cut off')
    }
    expect(await stored()).toEqual(['old'])
    expect(await text(await blobs.get('old'))).toBe('kept')
    expect(partials()).toEqual([])
  })

  test('because the disk does not let it, leaves nothing and lets go of its source', async () => {
    rmSync(join(root, 'store/.partial'), { recursive: true })
    const source = Readable.from([Buffer.from('x')])
    await expect(blobs.put('a', source)).rejects.toThrow('ENOENT')
    expect(source.destroyed).toBe(true)
    expect(await stored()).toEqual([])
  })

  test('because the system refuses to write on, half-way, leaves nothing', async () => {
    const put = putElsewhere('ulimit -f 1000;', `async function* () { for (let i = 0; i < 100; i++) yield Buffer.alloc(65536) }`)
    expect((await text(put.stdout)).trim()).toBe('EFBIG')
    expect(files()).toEqual([])
  })

  test('because the process is killed, leaves a partial file only, which is swept once it is old', async () => {
    const put = putElsewhere(
      '',
      `async function* () { yield Buffer.alloc(65536); process.stdout.write('half'); await new Promise(r => setTimeout(r, 60_000)) }`,
    )
    await once(put.stdout, 'data')
    put.kill('SIGKILL')
    await once(put, 'close')

    expect(await stored()).toEqual([])
    const [partial] = partials()
    expect(partial).toMatch(/\.partial$/)
    expect(await blobs.sweepPartials(new Date(Date.now() - 3_600_000))).toBe(0)
    utimesSync(join(root, 'store/.partial', String(partial)), 0, Date.now() / 1000 - 3601)
    expect(await blobs.sweepPartials(new Date(Date.now() - 3_600_000))).toBe(1)
    expect(files()).toEqual([])
  })
})

describe('a sealed blob', () => {
  const { key } = openVault(generateVaultKeyFile()).newDataKey('r1')
  const CANARY = 'canary-ada@example.org'
  const many = function* () {
    for (let i = 0; i < 5000; i += 1) yield Buffer.from(`${i} ${CANARY}\n`)
  }

  test('comes back through the same key', async () => {
    const { bytes } = await pipeline(Readable.from(many()), sealStream(key, 'r1|a'), sealed => blobs.put('r1/a', sealed))
    expect(await blobs.size('r1/a')).toBe(bytes)
    const opened = await pipeline(await blobs.get('r1/a'), openStream(key, 'r1|a'), text)
    expect(opened).toBe(Buffer.concat([...many()]).toString())
  })

  test('leaves no plaintext in any file, neither when done nor half-way', async () => {
    const forms = [
      CANARY,
      Buffer.from(CANARY).toString('hex'),
      Buffer.from(CANARY).toString('base64'),
      Buffer.from(CANARY, 'utf16le'),
    ]
    const search = () => {
      const found = files().map(file => readFileSync(join(file.parentPath, file.name)))
      expect(found.filter(contents => contents.length > 0)).not.toEqual([])
      for (const contents of found) expect(forms.filter(form => contents.includes(form))).toEqual([])
    }
    const halfWay = async function* () {
      yield* many()
      // Writing goes its own way; what was given has to reach the disk before there is anything to search.
      while (files().every(file => statSync(join(file.parentPath, file.name)).size === 0))
        await new Promise(next => setTimeout(next, 5))
      search()
      yield* many()
    }
    await pipeline(Readable.from(halfWay()), sealStream(key, 'r1|a'), sealed => blobs.put('r1/a', sealed))
    search()
  })
})

describe('opening a store', () => {
  test('says which kinds it does not support', () => {
    expect(() => openBlobStore('s3://bucket')).toThrow('not supported yet')
  })

  test('fails at once when the folder cannot be made', () => {
    expect(() => openBlobStore('file:///dev/null/store')).toThrow('ENOTDIR')
  })
})
