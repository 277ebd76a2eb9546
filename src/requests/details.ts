import { type Static, Type } from 'typebox'
import { COOKIES, DETAILS_OF, type Details, ERASURE_GROUNDS, RESTRICTION_GROUNDS, splitsOff } from '../domain/details.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Right } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type Policy, purposesOn } from '../policy/policy.ts'
import type { Receiver } from '../policy/receivers.ts'
import { refusedPartsOf } from './decisions.store.ts'
import { sealedDetailsOf } from './requests.store.ts'

const closed = { additionalProperties: false } as const
const Value = Type.Union([Type.String({ maxLength: 2000 }), Type.Number(), Type.Boolean(), Type.Null()])
const Name = Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' })
const Words = Type.String({ minLength: 1, maxLength: 5000 })

export const DetailsSchema = Type.Object(
  {
    corrections: Type.Optional(
      Type.Array(
        Type.Object({ dataset: Name, field: Type.String({ minLength: 1, maxLength: 128 }), from: Value, to: Value }, closed),
        {
          minItems: 1,
          maxItems: 50,
          description: 'Rectification: what is written where (`from`; null where nothing is), and what should be.',
        },
      ),
    ),
    ground: Type.Optional(
      Type.Enum([...ERASURE_GROUNDS, ...RESTRICTION_GROUNDS], {
        description: 'Erasure (Art. 17(1)) or restriction (Art. 18(1)). Nobody has to know one.',
      }),
    ),
    lifts: Type.Optional(
      Type.String({ format: 'uuid', description: 'Restriction: the request whose restriction is to be lifted.' }),
    ),
    purposes: Type.Optional(
      Type.Array(Name, {
        minItems: 1,
        maxItems: 20,
        uniqueItems: true,
        description: 'Objection and withdrawal of consent: purposes of the privacy policy.',
      }),
    ),
    cookies: Type.Optional(Type.Array(Type.Enum([...COOKIES]), { minItems: 1, uniqueItems: true })),
    reasons: Type.Optional({ ...Words, description: 'Objection: what speaks for it in this person’s situation.' }),
    decision: Type.Optional({ ...Words, description: 'Automated decision review: which decision is contested.' }),
    view: Type.Optional({ ...Words, description: 'Automated decision review: the person’s own view of it.' }),
    message: Type.Optional({ ...Words, description: 'Inquiry: what the person wants to know or to say.' }),
    transmitTo: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9_-]{0,62}$',
        description:
          'Portability: the id of a receiver (`GET /v1/receivers`) that the copy is also sent to directly (Art. 20(2)).',
      }),
    ),
  },
  { ...closed, description: 'What the right needs to be told; access and portability need nothing.' },
)

const { corrections: _values, ...unchanged } = DetailsSchema.properties
/** The particulars as their reader may see them. */
export const DetailsView = Type.Object(
  {
    ...unchanged,
    corrections: Type.Optional(
      Type.Array(
        Type.Object({ dataset: Name, field: Type.String(), from: Type.Optional(Value), to: Type.Optional(Value) }, closed),
      ),
    ),
    hidden: Type.Optional(
      Type.Array(Type.String(), { description: 'To support agents: what was said, and is not theirs to read.' }),
    ),
  },
  closed,
)

/** What a policy lets be objected to and withdrawn, and to whom a copy can be sent. */
export interface DetailRules {
  policy: Pick<Policy, 'categories' | 'purposes'>
  receivers: readonly Receiver[]
}

/** Particulars that say what this right needs, and nothing that it has no use for. @throws Problem `unprocessable` */
export function checkDetails(rules: DetailRules, right: Right, given: Static<typeof DetailsSchema> = {}): Details {
  const { may, oneOf } = DETAILS_OF[right]
  const errors: Fault[] = Object.keys(given)
    .filter(name => !(may as readonly string[]).includes(name))
    .map(name => ({ pointer: `/details/${name}`, detail: `A request for ${right} has no such particular.` }))
  if (oneOf && !oneOf.some(name => given[name] !== undefined))
    errors.push({ pointer: '/details', detail: `A request for ${right} has to say: ${oneOf.join(' or ')}.` })
  errors.push(...groundFaults(right, given), ...purposeFaults(rules, right, given), ...receiverFaults(rules, given))
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
  return given
}

function groundFaults(right: Right, { ground, lifts }: Details): Fault[] {
  if (ground === undefined) return []
  if (lifts) return [{ pointer: '/details/ground', detail: 'Lifting a restriction has no ground.' }]
  const known: readonly string[] = right === 'erasure' ? ERASURE_GROUNDS : RESTRICTION_GROUNDS
  return known.includes(ground) ? [] : [{ pointer: '/details/ground', detail: `One of ${known.join(', ')}.` }]
}

/** One can object to what rests on a legitimate interest and to marketing (Art. 21), and withdraw what rests on consent (Art. 7(3)). */
function purposeFaults({ policy }: DetailRules, right: Right, { purposes = [] }: Details): Fault[] {
  const basis = right === 'objection' ? 'legitimate_interest' : 'consent'
  const known = purposesOn(policy, basis)
  if (right === 'objection') known.add('marketing')
  return purposes.flatMap((purpose, i) =>
    known.has(purpose)
      ? []
      : [
          {
            pointer: `/details/purposes/${i}`,
            detail: `Nothing is done for this purpose on that basis; one of ${[...known].join(', ')}.`,
          },
        ],
  )
}

function receiverFaults({ receivers }: DetailRules, { transmitTo }: Details): Fault[] {
  if (transmitTo === undefined || receivers.some(({ id }) => id === transmitTo)) return []
  const detail =
    receivers.length === 0
      ? 'Direct transmission is switched off here: no receiver is registered.'
      : `No such receiver is registered; one of ${receivers.map(({ id }) => id).join(', ')}.`
  return [{ pointer: '/details/transmitTo', detail }]
}

export interface DetailsDeps {
  vault: Pick<Vault, 'sealJson' | 'openJson'>
}

const context = (id: string) => `dsar_request|details_sealed|${id}`

export const sealDetails = ({ vault }: DetailsDeps, id: string, details: Details): Buffer | null =>
  Object.keys(details).length === 0 ? null : vault.sealJson(details, context(id))

async function notRefused(read: Tx, id: string, purposes: readonly string[]): Promise<string[]> {
  const refused = new Set((await refusedPartsOf(read, id)).flatMap(({ parts }) => parts.purposes ?? []))
  return purposes.filter(purpose => !refused.has(purpose))
}

/** Whether a request of its own carries out what an objection said of marketing. */
async function isSplit(read: Tx, id: string): Promise<boolean> {
  const parts = await read.query<unknown[]>(`SELECT 1 FROM dsar_request WHERE parent_id = $1 AND "right" = 'objection'`, [id])
  return parts.length > 0
}

/** The particulars as they were given. */
export async function givenDetails({ vault }: DetailsDeps, read: Tx, id: string): Promise<Details> {
  const sealed = await sealedDetailsOf(read, id)
  return sealed ? (vault.openJson(sealed, context(id)) as Details) : {}
}

/** The particulars that are to be carried out: without the purposes that were refused, or split off. */
export async function detailsOf(deps: DetailsDeps, read: Tx, id: string): Promise<Details> {
  const details = await givenDetails(deps, read, id)
  if (!details.purposes) return details
  const left = splitsOff('objection', details) && (await isSplit(read, id)) ? notMarketing(details.purposes) : details.purposes
  return { ...details, purposes: await notRefused(read, id, left) }
}

const notMarketing = (purposes: readonly string[]): string[] => purposes.filter(purpose => purpose !== 'marketing')
