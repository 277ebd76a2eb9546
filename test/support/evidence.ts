import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answered } from './callers.ts'
import { readZip, type ZipFile } from './zip-reader.ts'

/** Evidence as it was taken, unpacked. */
export interface Evidence {
  folder: string
  files: ZipFile[]
  /** What a file of JSON says. */
  says(name: string): Answered['body']
  /** Another folder with the same, that may be changed. */
  copy(): Evidence
  /** Changes one bit. */
  flip(name: string, at: number): void
  /** Changes a file, and the manifest so that nobody sees it by the digests. */
  forge(name: string, change: (text: string) => string): void
  /** Runs its own script, from another place and with nothing of this process. */
  verify(): { status: number | null; said: string[] }
  remove(): void
}

const newFolder = () => mkdtempSync(join(tmpdir(), 'dsar-evidence-'))

export function unpack(zip: Buffer): Evidence {
  const folder = newFolder()
  const files = readZip(zip).map(file => ({ ...file, name: file.name.slice(file.name.indexOf('/') + 1) }))
  for (const { name, content } of files) writeFileSync(join(folder, name), content)
  return evidenceIn(folder, files)
}

function evidenceIn(folder: string, files: ZipFile[]): Evidence {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  return {
    folder,
    files,
    says: name => JSON.parse(text(name)),
    copy() {
      const other = newFolder()
      cpSync(folder, other, { recursive: true })
      return evidenceIn(other, files)
    },
    flip(name, at) {
      const content = readFileSync(join(folder, name))
      content[at] = (content[at] ?? 0) ^ 1
      writeFileSync(join(folder, name), content)
    },
    forge(name, change) {
      const content = change(text(name))
      writeFileSync(join(folder, name), content)
      const manifest = JSON.parse(text('manifest.json'))
      const listed = manifest.files.find((file: { name: string }) => file.name === name)
      Object.assign(listed, { bytes: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex') })
      writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
    },
    verify() {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'verify.mjs')], { cwd: tmpdir(), env: {} })
      return { status, said: `${stdout}${stderr}`.trim().split('\n') }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
