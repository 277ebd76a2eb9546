import { globSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, matchesGlob } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { at, type Import, type Module, type Node, packageOf, ROOT, readModules } from './support/module-graph.ts'

/** A file imports its own part and the parts before it. A part is a folder of src/, a file beside them, or the migrations. */
const ORDER = [
  ...[
    'domain',
    'platform',
    'pipeline.ts',
    'policy',
    'audit',
    'auth',
    'adapters',
    'conformance',
    'sql',
    'opendsr',
    'requests',
    'webhooks',
    'staff',
    'messages',
    'decisions',
    'holds',
    'verification',
    'tasks',
    'handed',
    'fulfilment',
  ],
  ...[
    'packaging',
    'delivery',
    'repudiation',
    'retention',
    'operations',
    'http',
    'migrate.ts',
    'config-values.ts',
    'config.ts',
    'deps.ts',
    'handlers.ts',
    'app.ts',
    'demo',
    'main.ts',
  ],
]

/** Parts that may know less than their place in the order gives them, or that have no place in it. */
const KNOWS: Record<string, readonly string[]> = {
  domain: [],
  platform: [],
  migrations: [],
  'adapter-kit': [], // a package of its own, for strangers
  'config-values.ts': ['domain'],
  'config.ts': ['domain', 'platform', 'policy', 'auth', 'config-values.ts'],
  'migrate.ts': ['migrations', 'platform', 'pipeline.ts'],
  demo: [...ORDER.slice(0, ORDER.indexOf('demo')), 'adapter-kit'],
  // Commands of their own, as main.ts is.
  'audit-verify.ts': ORDER.slice(0, ORDER.indexOf('deps.ts')),
  'vault-key.ts': ['platform'],
  'adapter-new.ts': [],
  'dataset-lint.ts': ['policy', 'sql'],
  'dataset-scaffold.ts': ['sql'],
  'adapter-check.ts': ORDER.slice(0, ORDER.indexOf('requests')),
}

/** Each package and the only files that know it. A package that is not here may not be imported. */
const PACKAGES: Record<string, readonly string[]> = {
  '@fastify/*': ['**/*.routes.ts', 'http/**', 'auth/**', 'demo/**'],
  'altcha-lib': ['auth/work.ts'],
  archiver: ['packaging/zip.ts'],
  'close-with-grace': ['main.ts', 'demo/main.ts'],
  eta: [
    'delivery/landing-page.ts',
    'delivery/opt-out-page.ts',
    'delivery/letters/render-letter.ts',
    'repudiation/repudiation-page.ts',
    'demo/mailbox-pages.ts',
  ],
  fastify: ['**/*.routes.ts', 'http/**', 'auth/**', 'demo/**'],
  'ipaddr.js': ['platform/egress-policy.ts', 'config-values.ts'],
  jose: ['auth/issuer-keys.ts'],
  jsonwebtoken: ['auth/verify-token.ts', 'demo/token-issuer.ts'],
  mailparser: ['demo/mailbox.ts'],
  nodemailer: ['platform/mailer.ts'],
  pg: ['platform/database.ts', 'migrate.ts', 'sql/**', 'demo/**'],
  'pg-boss': ['platform/queue.ts'],
  pino: ['platform/log.ts'],
  'prom-client': ['platform/metrics.ts', 'auth/guard.ts', 'http/limit-rates.ts', 'http/observe.ts', 'operations/count-work.ts'],
  'smtp-server': ['demo/mailbox.ts'],
  standardwebhooks: ['adapters/signing.ts', 'adapter-kit/sign.ts', 'demo/**'],
  typebox: ['!(domain|adapter-kit)/**', 'config.ts'],
  typeorm: ['**/*.table.ts', '**/*.store.ts', 'platform/database.ts', 'migrate.ts', 'migrations/**'],
  undici: ['platform/outbound.ts'],
  yaml: ['policy/load-policy.ts', 'http/describe-api.ts', 'sql/description-file.ts'],
}

const LONGEST_FILE = 250
const LONGEST_FUNCTION = 60
const MEDIAN_FILE = 60

/** The door of a package: what it exports is for others. */
const DOORS = ['src/adapter-kit/adapter.ts', 'src/conformance/check-service.ts']

/** What only tools need: the contract test, to hold openapi/dsar.yaml against the routes; the benchmark of packing. */
const FOR_TOOLS = ['openapiYaml', 'openable']

/** The body of an answer is whatever the server sent; each test says in its expectations what it takes it for. */
const SAYS_ANY = ['test/support/callers.ts']

const src = readModules('src/**/*.ts')
const modules = [...src, ...readModules('migrations/*.ts')]
const tests = readModules('test/**/*.ts')
const fileAt = new Map(modules.map(module => [module.path, module]))

/** `requests` of `src/requests/assess.ts`, `app.ts` of `src/app.ts`, `migrations` of what lies there. */
const partOf = (path: string): string => path.replace(/^src\//, '').split('/')[0] ?? ''
const within = (path: string, patterns: readonly string[]) => patterns.some(each => matchesGlob(path.replace(/^src\//, ''), each))

const imports = modules.flatMap(module =>
  module.imports.map(each => ({ ...each, by: module.path, place: `${module.path}:${each.line}` })),
)
const packages = imports.filter(({ file, specifier }) => !file && !builtinModules.includes(specifier.replace('node:', '')))

/** Where in the given modules something stands that may not, as `file:line what`. */
function offences(within: readonly Module[], wrong: (node: Node, module: Module) => string | false): string[] {
  return within.flatMap(module =>
    module.nodes.flatMap(node => {
      const what = wrong(node, module)
      return what ? [`${module.path}:${node.line} ${what}`] : []
    }),
  )
}

const linesMatching = (within: readonly Module[], pattern: RegExp): string[] =>
  within.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : [])),
  )

const isMember = (node: Node, object: string, property?: string) =>
  node.type === 'MemberExpression' &&
  at(node, 'object', 'value') === object &&
  (!property || at(node, 'property', 'value') === property)

test('the source was read: a rule that looks at nothing is kept by everybody', () => {
  expect(src.length).toBeGreaterThan(100)
  expect(imports.filter(each => each.file).length).toBeGreaterThan(200)
  expect(packages.length).toBeGreaterThan(50)
})

describe('who may know whom', () => {
  test('every part of the source has its place', () => {
    const placed = [...ORDER, ...Object.keys(KNOWS)]
    expect(modules.map(each => each.path).filter(path => !placed.includes(partOf(path)))).toEqual([])
  })

  test('a file imports its own part and those before it', () => {
    const known = (part: string) => KNOWS[part] ?? ORDER.slice(0, ORDER.indexOf(part))
    const wrong = imports.filter(
      ({ by, file }) => file && partOf(file) !== partOf(by) && !known(partOf(by)).includes(partOf(file)),
    )
    expect(wrong.map(({ place, file }) => `${place} imports ${file}`)).toEqual([])
  })

  test('every import of ours names a file that is there', () => {
    const files = new Set(globSync('{src,migrations}/**/*', { cwd: ROOT }))
    const wrong = imports.filter(({ file }) => file && !files.has(file))
    expect(wrong.map(({ place, file }) => `${place} imports ${file}`)).toEqual([])
  })

  test('nobody imports in a circle, not even types', () => {
    expect(circles()).toEqual([])
  })

  test('only requests/ can set the state of a request', () => {
    const outside = src.filter(module => partOf(module.path) !== 'requests')
    const strangers = imports.filter(({ by, file }) => file === 'src/requests/requests.store.ts' && partOf(by) !== 'requests')
    const statements = linesMatching(outside, /\bUPDATE\s+(ONLY\s+)?"?dsar_request\b/i)
    expect([...strangers.map(({ place }) => `${place} imports the store`), ...statements]).toEqual([])
  })

  test('the domain needs no package, and of the runtime only what computes', () => {
    const pure = ['node:url'] // domainToASCII
    const wrong = imports.filter(({ by, file, specifier }) => partOf(by) === 'domain' && !file && !pure.includes(specifier))
    expect(wrong.map(({ place, specifier }) => `${place} imports ${specifier}`)).toEqual([])
  })

  test('each package is known to the few files that wrap it', () => {
    const wrong = packages.filter(({ by, specifier }) => {
      const name = packageOf(specifier)
      return !within(by, PACKAGES[name] ?? PACKAGES[name.replace(/\/.*/, '/*')] ?? [])
    })
    expect(wrong.map(({ place, specifier }) => `${place} imports ${specifier}`)).toEqual([])
  })
})

describe('what only one place does', () => {
  test('the environment is read by config.ts alone', () => {
    const others = src.filter(({ path }) => path !== 'src/config.ts')
    expect(offences(others, node => isMember(node, 'process', 'env') && 'reads process.env')).toEqual([])
    expect(imports.filter(({ specifier }) => /^(node:)?process$/.test(specifier)).map(({ place }) => place)).toEqual([])
  })

  test('the network is reached through the files that guard it, and only the demo starts programs', () => {
    const guarded = ['src/platform/outbound.ts', 'src/auth/issuer-keys.ts'] // the second asks whom the configuration trusts
    const isService = (path: string) => !['demo', 'adapter-kit'].includes(partOf(path)) && !guarded.includes(path)
    const openers = ['request', 'get', 'connect', 'createConnection', 'default']
    const opens = ({ specifier, names }: Import) =>
      /^node:(https?|http2|net|tls|dgram)$/.test(specifier) && openers.some(each => names.includes(each))
    const wrong = imports.filter(each => isService(each.by) && (opens(each) || each.specifier === 'node:child_process'))
    const calls = (node: Node) => ['fetch', 'WebSocket'].includes(at(node, 'callee', 'value') as string)
    expect([
      ...wrong.map(({ place, specifier }) => `${place} imports ${specifier}`),
      ...offences(
        src.filter(({ path }) => isService(path)),
        node => calls(node) && 'goes around platform/outbound.ts',
      ),
    ]).toEqual([])
  })

  test('the time of day comes from a clock', () => {
    const clocks = ['src/platform/clock.ts', 'src/adapter-kit/clock.ts'] // the kit shares nothing with the service
    const others = src.filter(({ path }) => !clocks.includes(path) && !path.startsWith('src/demo/lms')) // the LMS is somebody else's service
    expect(offences(others, node => readsTheTime(node) && 'reads the time itself')).toEqual([])
  })

  test('what is logged goes through the log', () => {
    expect(offences(src, node => isMember(node, 'console') && 'writes to the console')).toEqual([])
  })
})

describe('how a module is written', () => {
  test('exports have names, and no module passes on all of another', () => {
    const wrong = (module: Module) =>
      module.exports.filter(({ name }) => name === 'default' || (name === '*' && !DOORS.includes(module.path)))
    expect(src.flatMap(module => wrong(module).map(({ name, line }) => `${module.path}:${line} exports ${name}`))).toEqual([])
  })

  test('names are in kebab-case and say what is inside', () => {
    const paths = globSync('{src,test,bench,migrations}/**/*', { cwd: ROOT })
    expect(paths.filter(path => !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(basename(path)))).toEqual([])
    expect(paths.filter(path => /\b(utils?|helpers?|common|misc|types|index)(\/|\.ts$|$)/.test(path))).toEqual([])
  })

  test('nothing is excused from the type checker, postponed or left out', () => {
    const all = [...modules, ...tests]
    const castsTwice = (node: Node) => node.type === 'TsAsExpression' && at(node, 'expression', 'type') === 'TsAsExpression'
    expect([
      ...offences(
        all.filter(({ path }) => !SAYS_ANY.includes(path)),
        node => node.type === 'TsKeywordType' && node.kind === 'any' && 'says any',
      ),
      ...offences(all, node => castsTwice(node) && 'casts twice'),
      ...offences(tests, node => (isMember(node, 'test', 'skip') || isMember(node, 'test', 'only')) && 'leaves tests out'),
      ...linesMatching(all, /@ts-(ignore|expect-error|nocheck)|\bTO[D]O\b|\bFIX[M]E\b/),
    ]).toEqual([])
  })

  test('every export is used', () => {
    expect(src.flatMap(unusedExports)).toEqual([])
  })
})

describe('size', () => {
  test(`half of all files have at most ${MEDIAN_FILE} lines and none more than ${LONGEST_FILE}`, () => {
    const sizes = src.map(module => module.lines).sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(MEDIAN_FILE)
    expect(src.filter(({ lines }) => lines > LONGEST_FILE).map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([])
  })

  test(`no function has more than ${LONGEST_FUNCTION} lines`, () => {
    const tooLong = (node: Node, module: Module) =>
      isFunction(node) &&
      lengthOf(node) > LONGEST_FUNCTION &&
      !(module.path.endsWith('.routes.ts') && declaresRoutes(node)) && // a list of routes; their handlers are measured
      `${lengthOf(node)} lines`
    expect(offences(src, tooLong)).toEqual([])
  })
})

/** Every import that closes a circle, as the files it goes through. */
function circles(): string[] {
  const found: string[] = []
  const seen = new Set<string>()
  const follow = (path: string, trail: readonly { path: string; line: number }[]): void => {
    const start = trail.findIndex(each => each.path === path)
    if (start >= 0)
      found.push(
        `${trail
          .slice(start)
          .map(each => `${each.path}:${each.line}`)
          .join(' → ')} → ${path}`,
      )
    if (seen.has(path)) return
    seen.add(path)
    for (const { file, line } of fileAt.get(path)?.imports ?? []) if (file) follow(file, [...trail, { path, line }])
  }
  for (const { path } of modules) follow(path, [])
  return found
}

function readsTheTime(node: Node): boolean {
  const isDate = at(node, 'callee', 'value') === 'Date'
  if (node.type === 'NewExpression') return isDate && !(at(node, 'arguments', 'length') as number)
  return (node.type === 'CallExpression' && isDate) || isMember(node, 'Date', 'now')
}

const isFunction = ({ type }: Node) =>
  ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'ClassMethod', 'MethodProperty'].includes(type)
const lengthOf = ({ line, lastLine }: Node) => lastLine - line + 1

/** A plugin, or the function that makes one from its dependencies. */
function declaresRoutes(node: Node): boolean {
  const plugin = at(node, 'body', 'type') === 'ArrowFunctionExpression' ? at(node, 'body') : node
  return at(plugin, 'params', 0, 'pat', 'value') === 'api' || at(plugin, 'params', 0, 'value') === 'api'
}

/**
 * A value is exported because another file imports it, or because a test holds it to its word while its own file uses it.
 * A type is exported because another file names it, or because what its own file exports is written in it.
 */
function unusedExports(module: Module): string[] {
  if (DOORS.includes(module.path)) return []
  const taken = (by: readonly Module[]) => by.flatMap(other => other.imports).filter(({ file }) => file === module.path)
  const takes = (all: readonly Import[], name: string) => all.some(({ names }) => names.includes(name) || names.includes('*'))
  const inSource = taken(src)
  const inTests = taken(tests)

  return module.exports.flatMap(({ name, line }) => {
    const type = module.nodes.some(node => /^Ts(Interface|TypeAlias)/.test(node.type) && at(node, 'id', 'value') === name)
    const usedHere = module.nodes.filter(node => node.type === 'Identifier' && node.value === name).length > 1
    if (takes(inSource, name) || FOR_TOOLS.includes(name) || (usedHere && (type || takes(inTests, name)))) return []
    return [`${module.path}:${line} exports ${name}, which ${takes(inTests, name) ? 'only tests use' : 'no other file uses'}`]
  })
}
