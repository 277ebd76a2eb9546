import { createRequire, registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { take } from './jest-globals.ts'

const require = createRequire(import.meta.url)
const circus: { default: TestRunner } = require('jest-circus/runner')

/** What jest calls for each test file, in one of its workers or, where there is only one file, in its own process. */
type TestRunner = (
  globals: unknown,
  project: unknown,
  environment: unknown,
  runtime: unknown,
  path: string,
  send: unknown,
) => Promise<unknown>

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals'
      ? { url: new URL('jest-globals.ts', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
})

/**
 * Runs a test file by jest's own circus, but has Node load it: no vm and no transform, so all files of a worker share the modules
 * of the service, of which none keeps a state. In a vm each file loads them all anew: half of what the whole suite cost.
 */
const runTestFile: TestRunner = (globals, project, environment, _runtime, path, send) => {
  const loader = {
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (file: string) => import(pathToFileURL(file).href),
    requireModule: require,
    requireInternalModule: anew,
    setGlobalsForRuntime: take,
    enterTestCode() {},
    leaveTestCode() {},
  }
  const { exit } = process
  process.exit = code => {
    throw new Error(`A test called process.exit(${code}).`)
  }
  return circus.default(globals, project, environment, loader, path, send).finally(() => {
    process.exit = exit
  })
}

/** Circus keeps the tests of one file, and its handlers of events where every copy of it finds them. */
function anew(file: string): unknown {
  Reflect.deleteProperty(globalThis, Symbol.for('EVENT_HANDLERS'))
  delete require.cache[file]
  return require(file)
}

// biome-ignore lint/style/noDefaultExport: what jest takes as testRunner
export default runTestFile
