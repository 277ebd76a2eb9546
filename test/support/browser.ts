import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { ROOT } from './module-graph.ts'

/** The npm package of the browser holds it for Linux on x64 with the GNU C library; tests say so in their title where there is none. */
export const HAS_BROWSER = process.platform === 'linux' && process.arch === 'x64' && hasGlibc()

/** A Chromium with scripts on that reaches this machine alone, whatever a page asks for. */
export async function openBrowser(): Promise<Browser> {
  const home = unpacked()
  return chromium.launch({
    executablePath: join(home, 'chromium'),
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    env: { ...process.env, LD_LIBRARY_PATH: join(home, 'al2023', 'lib'), FONTCONFIG_PATH: join(home, 'fonts') },
  })
}

/** Unpacking takes seconds, so it is done once for all runs of a user; who is quicker than another wins. */
function unpacked(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules/@sparticuz/chromium/package.json'), 'utf8'))
  const { uid } = userInfo()
  const home = join(tmpdir(), `dsar-browser-${version}-${uid}`)
  if (existsSync(home) && statSync(home).uid === uid) return home
  const fresh = mkdtempSync(`${home}-`)
  // The package unpacks to where temporary files lie, and its libraries only where it takes this for a bare Amazon Linux.
  const env = { ...process.env, TMPDIR: fresh, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' }
  const unpack = `import chromium from '@sparticuz/chromium'; await chromium.executablePath()`
  execFileSync(process.execPath, ['--input-type=module', '--eval', unpack], { cwd: ROOT, env })
  try {
    renameSync(fresh, home)
  } catch {
    rmSync(fresh, { recursive: true })
  }
  return home
}

function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime !== undefined
}
