import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { packageOf, ROOT, readModules } from './support/module-graph.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>

/** What `.dockerignore` keeps out of the folders it lets in. */
const keptOut = read('.dockerignore')
  .split('\n')
  .filter(line => /^\w/.test(line))
const inImage = (path: string) => !keptOut.some(folder => path.startsWith(`${folder}/`))

const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources?.split(' ') ?? [])
const modules = readModules('{src,migrations}/**/*.ts').filter(({ path }) => inImage(path))
const imports = modules.flatMap(({ path, imports }) => imports.map(each => ({ ...each, place: `${path}:${each.line}` })))

describe('the image', () => {
  test('runs the Node that the tests run on', () => {
    const bases = [...read('Dockerfile').matchAll(/^FROM node:(\d+)-/gm)].map(([, major]) => major)
    expect(bases).toEqual(bases.map(() => devDependencies?.node?.split('.')[0]))
  })

  test('is made of files that are there, and let through to it', () => {
    expect(copied.length).toBeGreaterThan(3)
    expect(copied.filter(path => globSync(path, { cwd: ROOT }).length === 0)).toEqual([])
    expect(copied.filter(path => !read('.dockerignore').includes(`!${path}\n`))).toEqual([])
  })

  test('holds every file that its files import', () => {
    expect(modules.length).toBeGreaterThan(100)
    const missing = imports.filter(({ file }) => file && !(inImage(file) && copied.includes(file.split('/')[0] ?? '')))
    expect(missing.map(({ place, file }) => `${place} imports ${file}`)).toEqual([])
  })

  test('holds the packages that its files import, and no others', () => {
    const packages = imports.filter(({ file, specifier }) => !file && !builtinModules.includes(specifier.replace('node:', '')))
    const missing = packages.filter(({ specifier }) => !(packageOf(specifier) in (dependencies ?? {})))
    expect(missing.map(({ place, specifier }) => `${place} imports ${specifier}`)).toEqual([])

    const used = new Set(packages.map(({ specifier }) => packageOf(specifier)))
    expect(Object.keys(dependencies ?? {}).filter(name => !used.has(name))).toEqual([])
  })
})
