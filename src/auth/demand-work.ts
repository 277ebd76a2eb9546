import type { FastifyInstance } from 'fastify'
import { Problem } from '../domain/problem.ts'
import { type GuessingDeps, isGuessedAt } from './guessing.ts'
import { takeWork, type WorkDeps } from './work.ts'

/** Carries the work that was done: the payload of an ALTCHA widget, base64 of JSON. */
const HEADER = 'dsar-work'

/**
 * While codes are guessed at on a large scale, whoever comes without a token to a route that says `work` has to compute something
 * first. Nobody is locked out by that, and nobody has to ask a third party whether they are human.
 */
export function demandWork(app: FastifyInstance, deps: GuessingDeps & WorkDeps): void {
  app.addHook('preHandler', async req => {
    if (!req.routeOptions.config.work || req.caller.kind !== 'anonymous') return
    if (!(await isGuessedAt(deps))) return
    const given = req.headers[HEADER]
    if (given === undefined) throw new Problem('work_needed')
    await takeWork(deps, given)
  })
}
