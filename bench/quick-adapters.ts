import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdapter } from '../src/adapter-kit/adapter.ts'

// So many adapters that know everybody and answer in 20 ms, in a process of their own. `node bench/quick-adapters.ts <how many>`

const ANSWER_MS = 20

const running = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, async (_, n) => {
    const name = `system_${n + 1}`
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    const adapter = createAdapter({
      name,
      secrets: secret,
      identityTypes: [{ type: 'user_id' }],
      find: async matched => {
        await sleep(ANSWER_MS)
        return { matched }
      },
      datasets: {
        profiles: {
          title: 'Profiles',
          category: 'account',
          origin: 'provided',
          purposes: ['provide_service'],
          legalBases: ['contract'],
          retention: 'account_data',
          recipients: [],
          count: () => 1,
          records: () => [{ plan: 'free' }],
          erase: () => 1,
        },
      },
    })
    return { name, secret, ...(await adapter.listen()), close: adapter.close }
  }),
)
process.send?.(running.map(({ close: _close, ...adapter }) => adapter))
process.once('disconnect', () => Promise.all(running.map(({ close }) => close())))
