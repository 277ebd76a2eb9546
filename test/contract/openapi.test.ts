import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { openapiYaml } from '../../src/http/describe-api.ts'
import { type Service, startService } from '../support/service.ts'

const FILE = new URL('../../openapi/dsar.yaml', import.meta.url)

interface Media {
  schema?: { examples?: unknown[]; example?: unknown; type?: string; format?: string }
  examples?: object
  example?: unknown
}
interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description?: string; headers?: object; content?: Record<string, Media> }>
}

const isShown = ({ schema, examples, example }: Media): boolean => (schema?.examples ?? examples ?? example) !== undefined

describe('the description of the API', () => {
  let service: Service
  let yaml: string
  let operations: [string, Operation][]

  beforeAll(async () => {
    service = await startService({ env: { PUBLIC_URL: 'https://privacy.almastack.example' }, working: false })
    yaml = openapiYaml(service.app.server)
    if (process.env.UPDATE_OPENAPI) writeFileSync(FILE, yaml)
    const { paths } = parse(yaml) as { paths: Record<string, Record<string, Operation>> }
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]),
    )
  })
  afterAll(() => service.close())

  test('is the one that is committed (`npm run openapi` writes it anew)', () => {
    expect(yaml).toBe(readFileSync(FILE, 'utf8'))
  })

  test('names, sums up, describes and sorts every operation', () => {
    const bare = operations.filter(
      ([, { operationId, summary, description, tags }]) => !operationId || !summary || !description || !tags?.length,
    )
    expect(bare.map(([name]) => name)).toEqual([])
    const ids = operations.map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThan(25)
  })

  test('says what every answer is, in words of its own', () => {
    const bare = operations.flatMap(([name, { responses }]) =>
      Object.entries(responses).flatMap(([status, { description }]) =>
        !description || description === 'Default Response' ? [`${name} ${status}`] : [],
      ),
    )
    expect(bare).toEqual([])
  })

  test('says of every operation that takes a body that it can be too large, or of another type', () => {
    const taking = operations.filter(([, { requestBody }]) => requestBody)
    expect(taking.length).toBeGreaterThan(5)
    for (const [name, { responses }] of taking)
      expect([name, Object.keys(responses)]).toEqual([name, expect.arrayContaining(['413', '415'])])
  })

  test.each([
    ['POST /v1/requests', '201', ['Location', 'ETag', 'Idempotency-Replayed', 'RateLimit', 'RateLimit-Policy']],
    ['POST /v1/requests', '429', ['Retry-After', 'RateLimit', 'RateLimit-Policy']],
    ['POST /v1/requests', '409', ['Retry-After', 'RateLimit', 'RateLimit-Policy']],
    ['GET /v1/requests', '200', ['Link', 'RateLimit', 'RateLimit-Policy']],
    ['GET /v1/downloads/content/{grant}', '206', ['ETag', 'Content-Range', 'RateLimit', 'RateLimit-Policy']],
    ['POST /v1/downloads/{token}', '303', ['Location', 'RateLimit', 'RateLimit-Policy']],
    ['DELETE /v1/adapters/{id}', '204', ['Idempotency-Replayed', 'RateLimit', 'RateLimit-Policy']],
  ])('names the headers of the answer to %s with %s', (name, status, headers) => {
    const operation = operations.find(([one]) => one === name)?.[1]
    expect(Object.keys(operation?.responses[status]?.headers ?? {})).toEqual(headers)
  })

  test('shows an example of everything that is sent and answered', () => {
    const bare = operations.flatMap(([name, { requestBody, responses }]) => {
      const bodies = Object.entries(requestBody?.content ?? {}).map(([type, media]): [string, Media] => [
        `${name} body ${type}`,
        media,
      ])
      const answers = Object.entries(responses).flatMap(([status, { content }]) =>
        Object.entries(content ?? {}).map(([type, media]): [string, Media] => [`${name} ${status} ${type}`, media]),
      )
      return [...bodies, ...answers].filter(([label, media]) => label.includes('json') && !isShown(media)).map(([label]) => label)
    })
    expect(bare).toEqual([])
  })
})
