const WITHIN = ['properties', 'patternProperties'] as const
const AMONG = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const

interface Schema {
  type?: unknown
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  additionalProperties?: unknown
  unevaluatedProperties?: unknown
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  prefixItems?: Schema[]
}

/** The pointer to the first object in a JSON Schema that would let fields through that it does not know; undefined when all are closed. */
export function openObjectIn(schema: unknown, at = ''): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const node = schema as Schema
  const closed = node.additionalProperties !== undefined || node.unevaluatedProperties !== undefined
  if (node.properties && !closed) return at || '/'
  const inner: [string, unknown][] = [
    ...WITHIN.flatMap(name => Object.entries(node[name] ?? {})),
    ...AMONG.flatMap(name => Object.entries(node[name] ?? [])),
    ['items', node.items],
  ]
  for (const [name, part] of inner) {
    const open = openObjectIn(part, `${at}/${name}`)
    if (open !== undefined) return open
  }
  return undefined
}
