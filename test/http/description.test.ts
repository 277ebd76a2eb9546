import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { parse } from 'yaml'
import { KeyHeader } from '../../src/auth/request-key.ts'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import { openapiYaml } from '../../src/http/describe-api.ts'
import { startTestServer } from '../support/test-server.ts'

const routes: FastifyPluginAsyncTypebox = async api => {
  const Thing = Type.Object(
    { name: Type.String(), kind: Type.Literal('a') },
    { additionalProperties: false, description: 'A thing.' },
  )
  api.post(
    '/things/:id',
    {
      config: { allow: { service: 'things:write', portal: true }, problems: ['not_found', 'in_progress', 'illegal_transition'] },
      schema: {
        operationId: 'putThing',
        summary: 'Put a thing',
        tags: ['things'],
        headers: KeyHeader,
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        body: Thing,
        response: { 201: Thing },
      },
    },
    async (req, reply) => reply.code(201).send(Object.assign({ secret: 'x' }, req.body)),
  )
  api.get('/open', { config: { allow: { anonymous: true, portal: true } }, schema: { operationId: 'open' } }, async () => null)
  api.post('/signed', { config: { allow: { signed: true } }, schema: { operationId: 'signed' } }, async () => null)
}

let issuer: TokenIssuer
let app: FastifyInstance
beforeAll(async () => {
  issuer = await startTokenIssuer()
  app = (await startTestServer(issuer, routes)).app
})
afterAll(async () => {
  await app.close()
  await issuer.close()
})

describe('the description of the API', () => {
  test('is the same text every time, for the same routes', async () => {
    const again = await startTestServer(issuer, routes)
    expect(openapiYaml(again.app)).toBe(openapiYaml(app))
    await again.app.close()
  })

  test('says of each operation who may call it, how, and what can go wrong', async () => {
    const document = parse(openapiYaml(app))
    expect(document.openapi).toBe('3.1.1')
    const operation = document.paths['/v1/things/{id}'].post
    expect(operation).toMatchObject({
      operationId: 'putThing',
      security: [{ bearer: [] }],
      'x-audience': { service: 'things:write', portal: true },
    })
    expect(Object.keys(operation.responses)).toEqual([
      '201',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '429',
      '500',
      '503',
    ])
    const conflict = operation.responses['409'].content['application/problem+json']
    expect(conflict.schema).toEqual({ $ref: '#/components/schemas/Problem' })
    expect(Object.keys(conflict.examples)).toEqual(['in_progress', 'illegal_transition'])
    expect(conflict.examples.in_progress.value).toMatchObject({ status: 409, code: 'in_progress' })
    expect(operation.requestBody.content['application/json'].schema.properties.kind).toEqual({ type: 'string', const: 'a' })
    expect(document.paths['/v1/open'].get.security).toEqual([{ bearer: [] }, {}])
    expect(document.paths['/v1/signed'].post.security).toEqual([{ signature: [] }])
    expect(Object.keys(document.paths)).toEqual(['/v1/things/{id}', '/v1/open', '/v1/signed'])
  })

  test('is served as JSON', async () => {
    const answer = await app.inject({ method: 'GET', url: '/openapi.json' })
    expect(answer.json()).toEqual(parse(openapiYaml(app)))
  })

  test('leads from each problem to its meaning', async () => {
    const answer = await app.inject({ method: 'GET', url: '/problems/stale' })
    expect(answer.json()).toEqual({ code: 'stale', status: 412, title: 'It was changed meanwhile; read it again.' })
    expect((await app.inject({ method: 'GET', url: '/problems/other' })).statusCode).toBe(404)
  })
})

test('what an answer does not describe is not sent', async () => {
  const headers = { authorization: `Bearer ${issuer.mint('portal', { sub: 'ana' })}` }
  const url = '/v1/things/8c1b5cde-6f8e-4a6f-9a51-1d2f4f4e8a11'
  const answer = await app.inject({ method: 'POST', url, headers, payload: { name: 'n', kind: 'a' } })
  expect([answer.statusCode, answer.json()]).toEqual([201, { name: 'n', kind: 'a' }])
})

test.each(['/docs', '/docs/'])(
  'the readable reference at %s and everything it loads are served and allowed by its policy',
  async url => {
    const page = await app.inject({ method: 'GET', url })
    expect(page.statusCode).toBe(200)
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(page.body).not.toMatch(/<script(?! src=)|<style|\son\w+=/) // nothing inline, which the policy forbids
    const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, reference]) => new URL(reference ?? '', `http://x${url}`).pathname,
    )
    expect(loaded).toHaveLength(7)
    for (const asset of [...loaded, '/docs/json']) {
      const answer = await app.inject({ method: 'GET', url: asset })
      expect([asset, answer.statusCode]).toEqual([asset, 200])
    }
  },
)
