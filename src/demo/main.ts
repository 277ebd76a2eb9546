import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { demoPort } from '../config.ts'
import type { Right } from '../domain/rights.ts'
import { tokensOf } from './cast.ts'
import { type House, openHouse } from './house.ts'
import { PROFILES, type Profile } from './lms/profiles.ts'
import type { Person } from './lms/seed-person.ts'
import { registerAdapters } from './register-adapters.ts'
import { openStage } from './stage.ts'
import { WALKS } from './walks.ts'

const RIGHTS = Object.keys(WALKS) as Right[]
const NAMES = Object.keys(PROFILES).slice(1)
const USAGE = `npm run demo -- [--right ${RIGHTS.join('|')}|all] [--exit] [--profile ${NAMES.join('|')}] [--port 8080, or PORT]

Starts everything on this machine, walks a request for a right (access, unless told otherwise), and stays up to be tried by hand.
--exit ends after the walk: with 0, or with 1 when anything did not go as it should.`

const started = performance.now()
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const tell = (line: string) => say(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      right: { type: 'string', default: 'access' },
      exit: { type: 'boolean', default: false },
      profile: { type: 'string', default: 'typical' },
      port: { type: 'string', default: demoPort() },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(USAGE)
  const rights = values.right === 'all' ? RIGHTS : RIGHTS.filter(right => right === values.right)
  if (rights.length === 0 || !(values.profile in PROFILES) || !/^\d{1,5}$/.test(values.port)) throw new Error(`usage: ${USAGE}`)

  const opening = openHouse(tell, { port: Number(values.port) })
  let stopped = false
  const grace = closeWithGrace({ delay: 30_000 }, async ({ err, signal }) => {
    stopped = true
    if (err) process.stderr.write(`${err.stack ?? err.message}\n`)
    if (signal) say('\nstopping, and taking everything away again')
    // Half a house cannot be closed: it is finished first, which takes a second.
    const house = await opening.catch(() => undefined)
    await house?.close()
  })
  try {
    const house = await opening
    const paths = await walkAll(house, rights, values.profile as Profile)
    if (!values.exit) return invite(house, paths)
    await house.close()
    grace.uninstall()
    for (const path of paths) say(path)
  } catch (error) {
    if (stopped) return // the house is being taken away under us
    grace.uninstall()
    const house = await opening.catch(() => undefined)
    await house?.close()
    throw error
  }
}

const ANA: Person = { userId: 'u-1029', email: 'ana@example.org', name: 'Ana Perera', country: 'DE', profile: 'typical', seed: 1 }

/** Each right for somebody else, of whom nobody has asked for anything yet. */
async function walkAll(house: House, rights: readonly Right[], profile: Profile): Promise<string[]> {
  tell('all five are registered, and held against the protocol')
  const passed = await registerAdapters(house)
  tell(`they passed ${passed} checks, and were let in by a second person`)
  const paths: string[] = []
  for (const [i, right] of rights.entries()) {
    const email = i === 0 ? ANA.email : `ana.${right.replaceAll('_', '-')}@example.org`
    const stage = await openStage(house, { ...ANA, userId: `u-${1029 + i}`, email, profile }, say, tell)
    if (rights.length > 1) tell(`━━ ${right.replaceAll('_', ' ')}`)
    paths.push(...[await WALKS[right](stage)].flatMap(path => path ?? []))
  }
  return paths
}

function invite(house: House, paths: readonly string[]): void {
  const { portal, agent, officer, dpo, crm } = tokensOf(house, ANA)
  say(`
  API documentation   ${house.url}/docs
  Mailbox             ${house.mailbox.webUrl}
  Health              ${house.url}/health/ready     metrics ${house.url}/metrics
${paths.map(path => `  A package           ${path}\n`).join('')}  The clock           POST ${house.url}/v1/test/clock {"advance": "P3D"}, as the privacy officer

  Tokens for half a day (Authorization: Bearer …):
  service           ${crm}

  support agent     ${agent}

  privacy officer   ${officer}

  second person     ${dpo}

  portal            ${portal}

  Ctrl-C stops everything and takes it away again.`)
}

main().catch((error: Error) => {
  process.stderr.write(`\nThe demo failed: ${error.message}\n`)
  process.exitCode = 1
})
