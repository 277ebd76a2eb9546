import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { zipFile } from '../delivery/download-bodies.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { type EvidenceDeps, takeEvidence } from './evidence.ts'

/** What a supervisory authority is given about one request. */
export const evidenceRoutes =
  (deps: EvidenceDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/evidence',
      {
        exposeHeadRoute: false, // it leaves a trace on the record, which a HEAD may not
        config: { allow: { support_agent: ['privacy_officer', 'dpo'] }, problems: ['not_found'] },
        schema: {
          operationId: 'getEvidence',
          tags: ['requests'],
          summary: 'Take the evidence of how a request was dealt with',
          description:
            'For a supervisory authority: the record with its signatures, clocks, decisions, legal holds, notices to the person ' +
            'and to recipients, forwardings, tasks, later looks and digests, and a script that checks it all offline. No contents, and ' +
            'nothing that says who the person is. Taking it is on the record.',
          params: RequestParams,
          response: { 200: zipFile('A ZIP file with `README.txt`, `verify.mjs` and what they speak of') },
        },
      },
      async (req, reply) => {
        const evidence = await takeEvidence(deps, req.params.id, req.caller)
        return reply
          .type('application/zip')
          .header('content-disposition', `attachment; filename="evidence-${req.params.id}.zip"`)
          .send(evidence)
      },
    )
  }
