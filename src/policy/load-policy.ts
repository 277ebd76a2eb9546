import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { type Policy, PolicySchema } from './policy.ts'

const CURRENT = fileURLToPath(new URL('./almastack-2025-01-18.yaml', import.meta.url))

const validator = Compile(PolicySchema)

/** Where the GDPR itself applies. For any other country a safeguard has to be named, be it an adequacy decision (Art. 44 to 46). */
const EEA = new Set('AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK ES'.split(' '))

/**
 * The privacy policy in force, from a YAML file.
 * @throws Error that names every mistake at once, each by its RFC 6901 pointer into the file.
 */
export function loadPolicy(path: string = CURRENT): Policy {
  const found: unknown = parse(readFileSync(path, 'utf8'))
  const mistakes = validator.Check(found)
    ? [...unsafeTransfers(found), ...rashRules(found), ...vagueControllers(found)]
    : schemaMistakes(found)
  if (mistakes.length > 0) throw new Error(`${path} is not a privacy policy:\n  ${mistakes.join('\n  ')}`)
  return found as Policy
}

/** Pointers to the values that were left as examples (addresses under `.example`, RFC 2606): fit for a demonstration only. */
export function exampleValues(value: unknown, pointer = ''): string[] {
  if (typeof value === 'string') return value.endsWith('.example') ? [pointer] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => exampleValues(inner, `${pointer}/${key}`))
}

/** The schema's complaints; an unknown key is named once, at its own place, not again at its parent's. */
const schemaMistakes = (found: unknown): string[] =>
  validator
    .Errors(found)
    .filter(({ keyword }) => keyword !== 'additionalProperties')
    .map(({ instancePath, keyword, message, params }) => {
      if (keyword === 'boolean') return `${instancePath}: is not part of a policy`
      const allowed = keyword === 'enum' ? `: ${params.allowedValues.join(', ')}` : ''
      return `${instancePath || '/'}: ${message}${allowed}`
    })

const unsafeTransfers = (policy: Policy): string[] =>
  policy.recipients.flatMap(({ name, country, safeguard }, at) =>
    EEA.has(country) || safeguard ? [] : [`/recipients/${at}/safeguard: ${name} is outside the EEA and has none`],
  )

/** Others' rights are a reason to leave out what harms them, never to refuse everything (recital 63), and never one without words. */
const rashRules = ({ othersRights: { rules, otherwise } }: Policy): string[] =>
  rules.flatMap(({ name, adapter, dataset, fields, do: doing, reason }, at) => {
    const place = `/othersRights/rules/${at}`
    const isWithheld = doing === 'withhold'
    return [
      ...(isWithheld && !(adapter && dataset && !fields) ? [`${place}/do: withhold is for one named dataset of an adapter`] : []),
      ...(doing !== 'deliver' && !reason ? [`${place}/reason: has to be given for what is not delivered`] : []),
      ...([otherwise, ...rules.slice(0, at)].some(other => other.name === name) ? [`${place}/name: is there twice`] : []),
    ]
  })

/** What is another's has to be said, and two controllers of one name could not be told apart. */
const vagueControllers = ({ controllers }: Policy): string[] =>
  controllers.flatMap(({ name, datasets, categories }, at) => [
    ...(datasets || categories ? [] : [`/controllers/${at}: names neither datasets nor categories`]),
    ...(controllers.findIndex(other => other.name === name) < at ? [`/controllers/${at}/name: is there twice`] : []),
  ])
