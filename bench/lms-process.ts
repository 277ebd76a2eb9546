import { startLms } from '../src/demo/lms/lms.ts'

// The five adapters in a process of their own, so that they take no time from the service. `node bench/lms-process.ts <database URL>`

const lms = await startLms({ databaseUrl: process.argv[2] ?? '' })
process.send?.(lms.adapters)
process.once('disconnect', () => lms.close())
