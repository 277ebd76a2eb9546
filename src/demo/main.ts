import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { type House, openHouse, tokenFor } from './house.ts'
import { PROFILES, type Profile } from './lms/profiles.ts'
import { registerAdapters, walk } from './walk.ts'

const USAGE = `npm run demo -- [--exit] [--profile ${Object.keys(PROFILES).slice(1).join('|')}] [--port 8080]

Starts everything on this machine, walks one access request to its download, and stays up to be tried by hand.
--exit ends after the walk and prints the path of the package.`

const started = performance.now()
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const tell = (line: string) => say(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      exit: { type: 'boolean', default: false },
      profile: { type: 'string', default: 'typical' },
      port: { type: 'string', default: '8080' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(USAGE)
  if (!(values.profile in PROFILES) || !/^\d{1,5}$/.test(values.port)) throw new Error(`usage: ${USAGE}`)
  const profile = values.profile as Profile

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
    await registerAdapters(house)
    tell('all five are registered; each was asked what it holds')
    const person = { userId: 'u-1029', email: 'ana@example.org', name: 'Ana Perera', country: 'DE', profile, seed: 1 }
    const path = await walk(house, person, tell, '.demo')
    if (!values.exit) return invite(house, path)
    await house.close()
    grace.uninstall()
    say(path)
  } catch (error) {
    if (stopped) return // the house is being taken away under us
    grace.uninstall()
    const house = await opening.catch(() => undefined)
    await house?.close()
    throw error
  }
}

function invite({ url, mailbox, issuer }: House, path: string): void {
  const person = {
    sub: 'u-1029',
    email: 'ana@example.org',
    email_verified: true,
    auth_time: Math.floor(performance.timeOrigin / 1000),
  }
  say(`
  API documentation   ${url}/docs
  Mailbox             ${mailbox.webUrl}
  Health              ${url}/health/ready     metrics ${url}/metrics
  The package         ${path}

  Tokens for half a day (Authorization: Bearer …):
  service        ${tokenFor(issuer, 'service', { sub: 'crm', client_id: 'crm', scope: 'requests:open requests:read adapters:read adapters:write' })}

  support agent  ${tokenFor(issuer, 'support_agent', { sub: 'agent-7', roles: ['agent', 'privacy_officer', 'operator'] })}

  portal         ${tokenFor(issuer, 'portal', person)}

  Ctrl-C stops everything and takes it away again.`)
}

main().catch((error: Error) => {
  process.stderr.write(`\nThe demo failed: ${error.message}\n`)
  process.exitCode = 1
})
