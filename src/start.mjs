import module from 'node:module'
import { fileURLToPath } from 'node:url'

// Plain JavaScript, because an older Node cannot read TypeScript, not even far enough to say so.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `The service needs Node 24, and this is ${process.version}. Run it through npm (npm start): the development packages bring one.\n`,
  )
  process.exit(1)
}
// What was compiled once is kept beside the packages: the next start takes half as long, and needs no compiler in memory.
module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/dsar', import.meta.url)))
await import('./main.ts')
