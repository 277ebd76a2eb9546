import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import { type NewForwarding, theirDueOn } from '../domain/forwarding.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { OtherController } from '../policy/controllers.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import type { NewTask } from '../tasks/tasks.store.ts'
import { forwardedAmong } from './completeness.ts'
import { insertForwarding } from './forwardings.store.ts'

export interface ForwardDeps extends CaseDeps {
  policy: { controllers: readonly OtherController[] }
  /** Asks the other controller to fetch what is for them, and tells the person who has it now. */
  writeForwarding(tx: Tx, request: DsarRequest, forwarding: NewForwarding, email: string): Promise<void>
}

/** Passes what belongs to other controllers on to them, each with a clock of its own. Once, however often it is tried. */
export async function forward(deps: ForwardDeps, tx: Tx, request: DsarRequest, tasks: readonly NewTask[]): Promise<void> {
  const byController = Map.groupBy(forwardedAmong(tasks), ({ controller }) => controller)
  for (const { name: controller, contact, client, email } of deps.policy.controllers) {
    const datasets = byController.get(controller)?.map(({ adapter, name, title }) => ({ adapter, dataset: name, title }))
    if (!datasets) continue
    const forwardedAt = deps.clock.now()
    const dueOn = theirDueOn(dayIn(forwardedAt, request.timeZone))
    const forwarding = { id: randomUUIDv7(), requestId: request.id, controller, contact, client, datasets, forwardedAt, dueOn }
    if (!(await insertForwarding(tx, forwarding))) continue
    await deps.record(tx, requestStream(request.id), system('fulfilment'), 'forwarded', {
      forwarding: forwarding.id,
      controller,
      datasets: datasets.map(({ adapter, dataset }) => `${adapter}/${dataset}`),
      dueOn,
    })
    await deps.writeForwarding(tx, request, forwarding, email)
  }
}
