import { type Figure, printTable, say } from './figures.ts'

// Measures the service against a reference in the same run, each part by itself: `npm run bench`, or `npm run bench -- a c`.

const BENCHMARKS: Record<string, { title: string; load(): Promise<{ run(): Promise<Figure[]> }> }> = {
  a: { title: 'opening requests', load: () => import('./open-requests.ts') },
  b: { title: 'packaging', load: () => import('./packaging.ts') },
  c: { title: 'whole requests', load: () => import('./whole-requests.ts') },
  d: { title: 'people with much data', load: () => import('./large-people.ts') },
  e: { title: 'reading a collect stream', load: () => import('./collect-stream.ts') },
  f: { title: 'looking people up', load: () => import('./lookup.ts') },
  g: { title: 'an erasure', load: () => import('./erasure.ts') },
  h: { title: 'asking many adapters', load: () => import('./fan-out.ts') },
}

const chosen = process.argv.slice(2)
const unknown = chosen.find(name => !(name in BENCHMARKS))
if (unknown !== undefined) throw new Error(`There is no benchmark '${unknown}', only ${Object.keys(BENCHMARKS).join(', ')}.`)

const figures: Figure[] = []
for (const [name, { title, load }] of Object.entries(BENCHMARKS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  say(`\n(${name}) ${title}`)
  const { run } = await load()
  figures.push(...(await run()).map(figure => ({ ...figure, what: `(${name}) ${figure.what}` })))
}
say('')
printTable(figures)
