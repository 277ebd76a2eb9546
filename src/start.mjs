// Plain JavaScript, because an older Node cannot read TypeScript, not even far enough to say so.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `The service needs Node 24, and this is ${process.version}. Run it through npm (npm start): the development packages bring one.\n`,
  )
  process.exit(1)
}
await import('./main.ts')
