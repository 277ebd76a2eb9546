import type { Mail } from '../../../src/demo/mail.ts'
import { linkIn } from '../letters.ts'
import { readZip } from '../zip-reader.ts'
import { DATASETS } from './holdings.ts'
import type { MoodyAdapter } from './moods.ts'
import { emailOf, PEOPLE, userOf, type World } from './world.ts'

/** Holds every letter against what the adapters hold at the moment it arrives. */
export function readLetters(world: World): { stop(): Promise<void> } {
  let last = 0
  let stopped = false
  const follow = async () => {
    while (!stopped) {
      const mail = await world.service.mailbox.waitFor(({ number }) => number > last, 500).catch(() => undefined)
      if (!mail || stopped) continue
      last = mail.number
      for (let person = 0; person < PEOPLE; person++)
        if (mail.envelope.to.includes(emailOf(userOf(person)))) world.violations.push(...untruths(world, mail, person))
      await readPackage(world, mail)
    }
  }
  const followed = follow()
  return {
    stop: () => {
      stopped = true
      return followed
    },
  }
}

/** What a letter to somebody says that is not so. */
function untruths({ adapters }: World, { text: wrapped }: Mail, person: number): string[] {
  const text = wrapped.replaceAll(/\s+/g, ' ')
  const user = userOf(person)
  const each = (wrong: (adapter: MoodyAdapter, dataset: (typeof DATASETS)[number]) => boolean, told: string) =>
    adapters.flatMap(adapter =>
      DATASETS.filter(dataset => wrong(adapter, dataset)).map(
        ({ name }) => `${user} was told ${told}, and ${adapter.raw.name} has ${name}`,
      ),
    )
  const held = ({ shelf }: MoodyAdapter, name: string) => shelf.of(user, name).filter(({ back }) => !back)
  const lacks = (limit: string, about: (dataset: (typeof DATASETS)[number]) => boolean) =>
    each(
      (adapter, dataset) => about(dataset) && held(adapter, dataset.name).length > 0 && !adapter.shelf.limitsOf(user).has(limit),
      limit,
    )
  if (text.includes('we erased')) {
    const only = text.includes('the data of these kinds')
    const isNamed = ({ raw }: MoodyAdapter, title: string) => text.includes(`${title} of ${raw.name}`)
    const kinds: Record<string, string> = { account: 'Account', usage: 'Usage', marketing: 'Marketing' }
    return each(
      (adapter, { name, title, category }) =>
        held(adapter, name).length > 0 && !isNamed(adapter, title) && (!only || text.includes(`${kinds[category]}`)),
      'it is erased',
    )
  }
  if (text.includes('We have corrected this as you asked'))
    return each(
      (adapter, { name, title }) =>
        text.includes(`${title} of ${adapter.raw.name}: Name`) && held(adapter, name).some(row => row.name === 'one'),
      'it is corrected',
    )
  if (text.includes('the use of your personal data has been restricted')) return lacks('restricted', () => true)
  if (text.includes('whatever becomes of the rest of your objection') || text.includes('you get no more advertising'))
    return lacks('object marketing', ({ name }) => name === 'choices')
  if (text.includes('you withdrew your consent')) return lacks('consent marketing', ({ name }) => name === 'choices')
  return []
}

/** A package holds of everything that it says was answered what the adapter last handed over for it, and nobody else's. */
async function readPackage(world: World, mail: Mail): Promise<void> {
  if (!mail.text.includes('/v1/downloads/')) return
  const person = Array.from({ length: PEOPLE }, (_, n) => n).find(n => mail.envelope.to.includes(emailOf(userOf(n)))) ?? 0
  const as = world.personAt(person)
  const granted = await as(linkIn(mail), { body: {} })
  if (granted.status === 410) return // it expired while the clock was moved
  if (granted.status !== 201) return void world.violations.push(`a package was not handed over: ${granted.status}`)
  const content = await as(new URL(granted.body.contentUrl).pathname)
  if (content.status === 410) return
  const files = new Map(
    readZip(content.bytes).map(({ name, content: bytes }) => [name.slice(name.indexOf('/') + 1), bytes.toString()]),
  )
  const { request, completeness, adapters } = JSON.parse(files.get('data/summary.json') ?? '{}')
  let whole = true
  for (const adapter of adapters)
    for (const { name, outcome, count, files: paths } of adapter.datasets) {
      const held = paths.flatMap(({ path }: { path: string }) =>
        path.endsWith('.json') ? JSON.parse(files.get(path) ?? '') : [],
      )
      if (held.some(({ holder }: { holder: string }) => holder !== userOf(person)))
        world.violations.push(`a package for ${userOf(person)} holds what is somebody else's`)
      if (!['completed', 'no_data', 'not_portable', 'not_asked_for'].includes(outcome)) whole = false
      if (outcome === 'not_portable' && request.right !== 'portability')
        world.violations.push(`a package for ${request.right} calls ${name} not portable`)
      if (held.length !== count) world.violations.push(`a package says ${count} of ${name} and holds ${held.length}`)
    }
  if (completeness.complete && !whole) world.violations.push(`the package of ${request.id} calls itself complete and is not`)
}
