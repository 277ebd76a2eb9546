import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseSync } from '@swc/core'

export const ROOT = join(import.meta.dirname, '../..')

/** A node of the syntax tree as the parser gives it, with the line it starts and ends on (counted from 1). */
export interface Node {
  readonly type: string
  readonly line: number
  readonly lastLine: number
  readonly [field: string]: unknown
}

/** One mention of another module: a static or dynamic import, a re-export or an `import('…')` type, whether of values or types. */
export interface Import {
  readonly specifier: string
  /** The file it means, relative to the repository's root, or undefined when it is a package. */
  readonly file: string | undefined
  /** What is taken from it; `default` and `*` (all of it, whatever is used of it) as in the language. */
  readonly names: readonly string[]
  readonly line: number
}

export interface Module {
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly imports: readonly Import[]
  /** What it exports by name, `default` and `*` included. */
  readonly exports: readonly { name: string; line: number }[]
  readonly nodes: readonly Node[]
}

/** Every TypeScript module a pattern matches, parsed. Paths are relative to the repository's root. */
export function readModules(pattern: string): Module[] {
  return globSync(pattern, { cwd: ROOT }).sort().map(readModule)
}

/** The package a specifier names: `fastify` of `fastify/types/x.js`, `@fastify/helmet` of itself. */
export const packageOf = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

function readModule(path: string): Module {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const nodes = nodesOf(text)
  const imports = nodes.flatMap(node => importOf(path, node, nodes))
  return { path, text, lines: text.split('\n').length - 1, imports, exports: nodes.flatMap(exportsOf), nodes }
}

/**
 * All nodes of the tree, parents first. The parser counts bytes, and goes on counting from one file to the next;
 * the empty statement put in front of the text shows where it began.
 */
function nodesOf(text: string): Node[] {
  const bytes = Buffer.from(text)
  const tree = parseSync(`;${text}`, { syntax: 'typescript', target: 'es2024' })
  const base = (tree.body[0]?.span.start ?? 0) + 1
  const breaks = [...bytes.keys()].filter(at => bytes[at] === 10)
  const lineAt = (offset: number) => 1 + breaks.findLastIndex(at => at < offset - base) + 1

  const found: Node[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (isSpanned(value)) found.push({ ...value, line: lineAt(value.span.start), lastLine: lineAt(value.span.end) })
    Object.values(value).forEach(visit)
  }
  visit(tree.body.slice(1))
  return found
}

const isSpanned = (value: object): value is { type: string; span: { start: number; end: number } } =>
  'type' in value && 'span' in value

function importOf(path: string, node: Node, nodes: readonly Node[]): Import[] {
  const specifier = specifierOf(node)
  if (specifier === undefined) return []
  const file = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined
  return [{ specifier, file, names: namesTaken(node, nodes), line: node.line }]
}

function specifierOf(node: Node): string | undefined {
  const literal = {
    ImportDeclaration: node.source,
    ExportNamedDeclaration: node.source,
    ExportAllDeclaration: node.source,
    TsImportType: node.argument,
    CallExpression: at(node, 'callee', 'type') === 'Import' ? at(node, 'arguments', 0, 'expression') : undefined,
  }[node.type]
  return at(literal, 'value') as string | undefined
}

/** `import * as x` takes what is written as `x.name`; a dynamic import may take anything. */
function namesTaken(node: Node, nodes: readonly Node[]): string[] {
  const specifiers = node.specifiers as object[] | undefined
  if (!specifiers) return ['*']
  return specifiers.flatMap(specifier => {
    const type = at(specifier, 'type')
    const local = at(specifier, 'local', 'value')
    if (type === 'ImportDefaultSpecifier') return 'default'
    if (type === 'ImportNamespaceSpecifier') return nodes.flatMap(each => membersOf(each, local))
    return (at(specifier, 'imported', 'value') ?? at(specifier, 'orig', 'value') ?? local) as string
  })
}

function membersOf(node: Node, namespace: unknown): string[] {
  if (at(node, 'object', 'value') === namespace) return [at(node, 'property', 'value') as string]
  if (at(node, 'left', 'value') === namespace) return [at(node, 'right', 'value') as string]
  return []
}

function exportsOf(node: Node): { name: string; line: number }[] {
  const named = (name: unknown) => ({ name: name as string, line: node.line })
  if (node.type.startsWith('ExportDefault')) return [named('default')]
  if (node.type === 'ExportAllDeclaration') return [named('*')]
  if (node.type === 'ExportNamedDeclaration')
    return (node.specifiers as object[]).map(each =>
      named(at(each, 'exported', 'value') ?? at(each, 'orig', 'value') ?? at(each, 'name', 'value')),
    )
  if (node.type !== 'ExportDeclaration') return []
  const declared = at(node, 'declaration', 'declarations') as object[] | undefined
  if (declared) return declared.map(each => named(at(each, 'id', 'value')))
  return [named(at(node, 'declaration', 'identifier', 'value') ?? at(node, 'declaration', 'id', 'value'))]
}

/** What lies at a path inside a node, or undefined where it ends early. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value)
}
