import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const FOLDER = '.demo'

/** Downloads a package that was granted, and saves it. @throws when it is not the one that was announced */
export async function fetchPackage(at: string, granted: { contentUrl: string; sha256: string }): Promise<string> {
  const zip = Buffer.from(await (await fetch(granted.contentUrl)).arrayBuffer())
  if (createHash('sha256').update(zip).digest('hex') !== granted.sha256)
    throw new Error('What was downloaded is not what was sealed.')
  mkdirSync(FOLDER, { recursive: true })
  const path = resolve(join(FOLDER, `dsar-${at.slice(at.lastIndexOf('/') + 1)}.zip`))
  writeFileSync(path, zip)
  return path
}

export interface Granted {
  contentUrl: string
  bytes: number
  sha256: string
}

/** The way to the package, in the letter that says it is ready. */
export const linkIn = (text: string): string => /\/v1\/downloads\/[A-Za-z0-9_-]{43}/.exec(text)?.[0] ?? ''
