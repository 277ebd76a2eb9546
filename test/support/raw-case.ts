import { type Answered, type Call, callers, until } from './callers.ts'
import { hostsOfRaw, type RawAdapter, registerRaw } from './raw-adapter.ts'
import { type Service, type ServiceOptions, startService } from './service.ts'

export interface TaskSeen {
  id: string
  adapter: string
  action: string
  state: string
  attempt: number
  failures: number
  nextTryAt: string | null
  problem: { code: string } | null
}

/** A service with these adapters. */
export interface RawCase {
  service: Service
  officer: Call
  anybody: Call
  /** Of the adapters, by name. */
  ids: Record<string, string>
  /** Somebody at the portal, each time another, asks for a copy of everything. @returns the path of the request */
  ask(): Promise<string>
  taskOf(at: string, adapter: string, action?: string): Promise<TaskSeen>
  /** Once the request fits. */
  see(at: string, fits: (request: Answered['body']) => boolean, milliseconds?: number): Promise<Answered['body']>
  /** Once a task fits. */
  seeTask(at: string, adapter: string, fits: (task: TaskSeen) => boolean, action?: string): Promise<TaskSeen>
  retry(at: string, adapter: string, action?: string): Promise<Answered>
  close(): Promise<void>
}

export async function startCase(
  adapters: readonly RawAdapter[],
  env: Record<string, string> = {},
  options: Omit<ServiceOptions, 'env'> = {},
): Promise<RawCase> {
  const service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOfRaw(adapters), ...env }, ...options })
  const as = callers(service)
  const officer = as.agent(['privacy_officer', 'operator'])
  const ids = await registerRaw(adapters, officer, service)
  let people = 0
  const find = ({ body }: Answered, adapter: string, action: string): TaskSeen | undefined =>
    body.tasks?.find((task: TaskSeen) => task.adapter === adapter && task.action === action)
  const taskOf = async (at: string, adapter: string, action = 'collect') =>
    find(await officer(`${at}/tasks`), adapter, action) as TaskSeen
  return {
    service,
    officer,
    anybody: as.anybody,
    ids,
    async ask() {
      people += 1
      const { body } = await as.person(`u-${people}`, `person${people}@example.org`)('/v1/requests', {
        body: { type: 'access', subject: {} },
      })
      return `/v1/requests/${body.id}`
    },
    taskOf,
    see: async (at, fits, ms) =>
      (
        await until(
          () => officer(at),
          ({ body }) => fits(body),
          ms,
        )
      ).body,
    async seeTask(at, adapter, fits, action = 'collect') {
      const fitting = (answer: Answered) => {
        const task = find(answer, adapter, action)
        return task !== undefined && fits(task)
      }
      return find(await until(() => officer(`${at}/tasks`), fitting), adapter, action) as TaskSeen
    },
    retry: async (at, adapter, action = 'collect') =>
      officer(`${at}/tasks/${(await taskOf(at, adapter, action)).id}/retry`, { method: 'POST' }),
    async close() {
      await service.close()
      await Promise.all(adapters.map(adapter => adapter.close()))
    },
  }
}
