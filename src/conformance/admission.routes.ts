import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AdapterView, viewAdapter } from '../adapters/adapter-view.ts'
import { type ContactOf, getAdapter } from '../adapters/adapters.store.ts'
import type { RegistryDeps } from '../adapters/register-adapter.ts'
import { act, actAfter } from '../auth/act.ts'
import { requireMatch } from '../auth/require-match.ts'
import { Problem } from '../domain/problem.ts'
import type { Database } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import { approveAdapter, noteCheck } from './admission.ts'
import { type CheckDeps, type CheckInput, checkAdapter } from './check-adapter.ts'
import { type AdapterCheck, lastCheckOf } from './checks.store.ts'

export interface AdmissionRoutesDeps extends RegistryDeps, Database, Omit<CheckDeps, 'callbacks' | 'connectors'> {
  contactOf: ContactOf
  /** The test people of the operator's configuration, and nobody else: a caller who named them could have anybody erased. */
  checkSubjects: CheckInput['subjects'] | undefined
}

const OPERATORS = ['operator', 'privacy_officer', 'dpo'] as const

const CHECK_EXAMPLE = {
  n: 1,
  passed: false,
  current: true,
  checks: [
    {
      id: 'unsigned_refused',
      title: 'A call that is not signed is refused',
      outcome: 'failed',
      detail: 'It was answered with 200; it has to be 401.',
      reference: 'openapi/adapter.yaml#Signatures',
    },
  ],
  checkedBy: 'support_agent|operator-1',
  checkedAt: '2026-11-01T09:00:00.000Z',
}

const CheckView = Type.Object(
  {
    n: Type.Integer(),
    passed: Type.Boolean({ description: 'Nothing failed, and nothing was left out for want of test people.' }),
    current: Type.Boolean({ description: 'It is about the address and the secrets that are registered now.' }),
    checks: Type.Array(
      Type.Object({
        id: Type.String(),
        title: Type.String(),
        outcome: Type.Enum(['passed', 'failed', 'skipped', 'not_applicable']),
        detail: Type.String(),
        reference: Type.String({ description: 'Where the protocol asks for it.' }),
      }),
    ),
    checkedBy: Type.String(),
    checkedAt: Type.String({ format: 'date-time' }),
  },
  { title: 'AdapterCheck', description: 'What a conformance check found.', examples: [CHECK_EXAMPLE] },
)

const viewCheck = ({ n, contactVersion, report, checkedBy, checkedAt }: AdapterCheck, now: number) => ({
  n,
  passed: report.passed,
  current: contactVersion === now,
  checks: report.checks,
  checkedBy,
  checkedAt: checkedAt.toISOString(),
})

/** How an adapter gets in: it passes the conformance check, and a second person approves it. */
export const admissionRoutes =
  (deps: AdmissionRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    const common = { tags: ['adapters'], params: Type.Object({ id: Type.String({ format: 'uuid' }) }) }

    api.post(
      '/adapters/:id/check',
      {
        config: {
          allow: { service: 'adapters:write', support_agent: OPERATORS },
          problems: ['not_found', 'stale', 'key_reused', 'in_progress', 'illegal_transition'],
          sends: ['Location'],
        },
        schema: {
          ...common,
          operationId: 'checkAdapter',
          summary: 'Check whether an adapter keeps to the protocol',
          description:
            'Asks it about the two test people whom the operator has named (`CHECK_SUBJECTS`), of whom the first is erased by it. ' +
            'Nobody else is touched, and nothing changes here but the report that is kept. Takes as long as the adapter does.',
          response: { 200: CheckView },
        },
      },
      (req, reply) =>
        actAfter(
          deps,
          req,
          reply,
          async () => {
            const { id, state, contactVersion } = await getAdapter(deps.read, req.params.id)
            if (state === 'suspended') throw new Problem('illegal_transition', 'Its traffic is stopped: let it go on first.')
            const contact = await deps.contactOf(id)
            const subjects = deps.checkSubjects ?? {}
            return { contactVersion, report: await checkAdapter(deps, contact, { subjects, destructive: true }) }
          },
          async (tx, found) => {
            const adapter = await getAdapter(tx, req.params.id, { lock: true })
            if (adapter.contactVersion !== found.contactVersion)
              throw new Problem('stale', 'Its address or a secret changed while it was checked.')
            await noteCheck(deps, tx, adapter, found, req.caller)
            const check = await lastCheckOf(tx, adapter.id)
            return { status: 200, headers: {}, body: check && viewCheck(check, adapter.contactVersion) }
          },
        ),
    )

    api.get(
      '/adapters/:id/check',
      {
        config: {
          allow: { service: 'adapters:read', support_agent: ['agent', ...OPERATORS] },
          problems: ['not_found'],
        },
        schema: {
          ...common,
          operationId: 'getAdapterCheck',
          summary: 'Read what the last check of an adapter found',
          description: 'With what has to be repaired, check by check. Nothing in it is about a person.',
          response: { 200: CheckView },
        },
      },
      async req => {
        const { id, contactVersion } = await getAdapter(deps.read, req.params.id)
        const check = await lastCheckOf(deps.read, id)
        if (!check) throw new Problem('not_found', 'It has not been checked yet.')
        return viewCheck(check, contactVersion)
      },
    )

    api.post(
      '/adapters/:id/approval',
      {
        config: {
          allow: { support_agent: OPERATORS },
          oneShot: true,
          problems: [
            'not_found',
            'stale',
            'precondition_required',
            'illegal_transition',
            'second_person_needed',
            'key_reused',
            'in_progress',
          ],
          sends: ['Location', 'ETag'],
        },
        schema: {
          ...common,
          operationId: 'approveAdapter',
          summary: 'Let an adapter in that has passed its check',
          description:
            'From now on it is asked about people. By somebody else than whoever registered it or last changed its address or a secret.',
          response: { 200: AdapterView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const adapter = await getAdapter(tx, req.params.id, { lock: true })
          requireMatch(req, adapter.version)
          const live = await approveAdapter(deps, tx, adapter, req.caller)
          return {
            status: 200,
            headers: { location: `/v1/adapters/${live.id}`, etag: etagOf(live.version) },
            body: viewAdapter(live),
          }
        }),
    )
  }
