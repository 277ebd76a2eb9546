import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { act, actAfter } from '../auth/act.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Database, Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { AssertionSchema, assertionOf } from '../requests/request-bodies.ts'
import { visibleAs, visibleRequest } from '../requests/visible-request.ts'
import { type CheckDeps, checkCode } from './check-code.ts'
import { proveByAssertion, proveByCode, proveByLogin } from './prove-identity.ts'
import { proveRequester } from './prove-requester.ts'
import type { ChallengeDeps } from './send-challenge.ts'
import { sendOwedCode } from './send-code-again.ts'

export interface VerificationDeps extends CaseDeps, Database, Omit<ChallengeDeps, 'vault'>, Omit<CheckDeps, 'vault'> {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const Params = Type.Object({ id: Type.String({ format: 'uuid' }) })
const Code = Type.String({ minLength: 8, maxLength: 20 })
const said = {
  deliverToRequester: Type.Optional(
    Type.Boolean({ description: 'Where somebody acts for the person and asked for it: the answer goes to them instead.' }),
  ),
}
const ProofBody = Type.Union(
  [
    Type.Object({ method: Type.Literal('email_code'), code: Code, ...said }, closed),
    Type.Object({ method: Type.Literal('portal_login'), ...said }, closed),
    Type.Object(
      { method: Type.Literal('requester_code'), code: Code },
      { ...closed, description: 'Of whoever acts for the person: the code from the mail to their own address.' },
    ),
    Type.Object({ method: Type.Literal('service_assertion'), assurance: AssertionSchema }, closed),
  ],
  { examples: [{ method: 'email_code', code: 'K7QF-2M9X' }, { method: 'portal_login' }] },
)
const Taken = Type.Object(
  { status: Type.Literal('accepted') },
  { description: 'Taken in, whether or not a code goes out.', examples: [{ status: 'accepted' }] },
)
const Accepted = Type.Object(
  { accepted: Type.Literal(true), assurance: Type.Object({ needed: Type.Integer(), reached: Type.Integer() }) },
  {
    description: 'The proof was taken; `assurance` is how well the person is known now.',
    examples: [{ accepted: true, assurance: { needed: 1, reached: 1 } }],
  },
)

/** Guesses at codes, each address and caller alone: enough for anybody's fingers, too few for a program. */
const guesses = { max: ({ caller }: FastifyRequest) => (caller.kind === 'service' ? 600 : 10), timeWindow: 60_000 }

/** Proving who asks. Nothing here is ever confirmed by a GET: mail scanners open every link they see. */
export const verificationRoutes =
  (deps: VerificationDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/challenges',
      {
        config: {
          allow: { service: 'requests:open', support_agent: ['agent', 'privacy_officer', 'dpo'], portal: true, anonymous: true },
          rateLimit: guesses,
          work: true,
          problems: ['key_reused', 'in_progress', 'work_needed'],
        },
        schema: {
          operationId: 'sendChallenge',
          tags: ['verification'],
          summary: 'Send the code again',
          description:
            'Sends a new code to the address on file, which makes the one before worthless. The answer is the same whether a code went out or not: it tells nobody who is known here.',
          params: Params,
          response: { 202: Taken },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await resend(deps, tx, req.params.id, req.caller)
          return { status: 202, headers: {}, body: { status: 'accepted' } }
        }),
    )

    api.post(
      '/requests/:id/proofs',
      {
        config: {
          allow: { service: 'requests:open', portal: true, anonymous: true },
          rateLimit: guesses,
          work: true,
          problems: [
            'proof_refused',
            'work_needed',
            'not_found',
            'step_up_required',
            'illegal_transition',
            'unprocessable',
            'key_reused',
            'in_progress',
          ],
        },
        schema: {
          operationId: 'proveIdentity',
          tags: ['verification'],
          summary: 'Prove who asks',
          description:
            'With the code from the mail, as the person logged in at the portal, or as a service that vouches for them. Five tries a code; then a new one has to be sent.',
          params: Params,
          body: ProofBody,
          response: { 200: Accepted },
        },
      },
      (req, reply) => {
        const { body, caller, params } = req
        return actAfter(
          deps,
          req,
          reply,
          async () => ('code' in body ? checkCode(deps, params.id, PURPOSE[body.method], body.code, toActor(caller)) : undefined),
          async (tx, spent) => {
            const request = await prove(deps, tx, params.id, body, caller, spent?.challengeId ?? '')
            return { status: 200, headers: {}, body: { accepted: true, assurance: assuranceOf(request) } }
          },
        )
      },
    )
  }

const PURPOSE = { email_code: 'identity', requester_code: 'requester' } as const

/** Acts on a proof; `challengeId` is that of a code that was right. */
async function prove(
  deps: VerificationDeps,
  tx: Tx,
  id: string,
  body: Static<typeof ProofBody>,
  caller: Caller,
  challengeId: string,
): Promise<DsarRequest> {
  switch (body.method) {
    case 'email_code':
      return proveByCode(deps, tx, id, challengeId, body, caller)
    case 'requester_code':
      return proveRequester(deps, tx, id, challengeId, caller)
    case 'service_assertion':
      return proveByAssertion(deps, tx, id, assertionOf(body.assurance), caller)
    case 'portal_login':
      return proveByLogin(deps, tx, id, body, caller)
  }
}

const assuranceOf = ({ assuranceNeeded, assurance }: DsarRequest) => ({ needed: assuranceNeeded, reached: assurance })

/**
 * Sends codes where they are owed. For whoever comes without a token, or acts for somebody, that is done later, by a job: who is known here is told
 * neither by the answer nor by the time it takes.
 */
async function resend(deps: VerificationDeps, tx: Tx, id: string, caller: Caller): Promise<void> {
  const isStranger = caller.kind === 'anonymous' || (await visibleAs(deps, tx, id, caller)).as === 'representative'
  if (isStranger) return deps.enqueue(tx, 'send-code', { requestId: id })
  await visibleRequest(deps, tx, id, caller)
  await sendOwedCode(deps, tx, id, toActor(caller))
}
