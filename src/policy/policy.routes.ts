import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyContextConfig } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { type Policy, PolicySchema } from './policy.ts'
import { policyOf, policyVersions } from './policy-versions.store.ts'

export interface PolicyRoutesDeps {
  policy: Policy
  read: Tx
}

/** For everybody, as the policy itself is; but not for a flood. */
const OPEN: FastifyContextConfig = {
  allow: { public: true },
  rateLimit: { max: 120, timeWindow: 60_000 },
  problems: ['too_many_requests'],
}
const Version = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })
const CategoryView = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  retention: Type.String(),
})

/** The privacy policy as data: what answers are built from, for anybody to read, as the policy itself is. */
export const policyRoutes =
  (deps: PolicyRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    const { policy } = deps
    const described = { description: 'The policy as data; its JSON Schema is this one.', examples: [policy] }
    api.get(
      '/policy',
      {
        config: OPEN,
        schema: {
          operationId: 'getPolicy',
          tags: ['policy'],
          summary: 'The privacy policy in force',
          description:
            'Categories, purposes, legal bases, retention, recipients, transfers and contacts, as requests are answered by them.',
          response: { 200: { ...PolicySchema, ...described } },
        },
      },
      async () => policy,
    )

    api.get(
      '/policy/versions',
      {
        config: OPEN,
        schema: {
          operationId: 'listPolicyVersions',
          tags: ['policy'],
          summary: 'Every version there was',
          description: 'The newest first. A request is answered under the version that was in force when it was opened.',
          response: {
            200: Type.Object(
              { versions: Type.Array(Type.Object({ version: Version, since: Type.String({ format: 'date-time' }) })) },
              {
                description: 'Versions, and since when this service has run under each.',
                examples: [{ versions: [{ version: '2025-01-18', since: '2026-11-22T09:00:00.000Z' }] }],
              },
            ),
          },
        },
      },
      async () => ({
        versions: (await policyVersions(deps.read)).map(({ version, since }) => ({ version, since: since.toISOString() })),
      }),
    )

    api.get(
      '/policy/versions/:version',
      {
        config: { ...OPEN, problems: ['too_many_requests', 'not_found'] },
        schema: {
          operationId: 'getPolicyVersion',
          tags: ['policy'],
          summary: 'A version of the policy as it stood',
          description: 'Word for word: the text of a version never changes.',
          params: Type.Object({ version: Version }),
          response: { 200: { ...PolicySchema, ...described } },
        },
      },
      async req => {
        const found = await policyOf(deps.read, req.params.version)
        if (!found) throw new Problem('not_found')
        return found
      },
    )

    api.get(
      '/policy/categories',
      {
        config: OPEN,
        schema: {
          operationId: 'listCategories',
          tags: ['policy'],
          summary: 'The categories of personal data',
          description: 'What a request can be narrowed to, and the only words a manifest may use.',
          response: {
            200: Type.Object(
              { categories: Type.Array(CategoryView) },
              {
                description: 'In the policy’s order.',
                examples: [
                  {
                    categories: [
                      {
                        name: 'account',
                        title: 'Account',
                        description: 'Registration: name, e-mail address, country',
                        retention: 'account_data',
                      },
                    ],
                  },
                ],
              },
            ),
          },
        },
      },
      async () => ({
        categories: Object.entries(policy.categories).map(([name, { title, description, retention }]) => ({
          name,
          title,
          description,
          retention,
        })),
      }),
    )
  }
