import { askLms, showRows } from '../lms-tables.ts'
import { tellStanding } from '../lookup.ts'
import { refusal } from '../refusal.ts'
import type { Stage, Walk } from '../stage.ts'

/** Everything of a person: announced, cooled off, erased, certified, and searched for again after 7 and 30 days. */
export const erasure: Walk = async stage => {
  const { person, tell, portal, reaches, later } = stage
  await showRows(stage, 'before')
  const at = await stage.open(portal, { type: 'erasure', details: { ground: '17_1_b' } })
  const { coolsOffAt } = await stage.becomes(at, ({ state }) => state === 'cooling_off')
  tell(`nothing happens until ${coolsOffAt}; every address on file is told, so that whoever did not ask can object:`)
  await stage.letter(person.email, /made in your name/)
  await stage.letter(`${person.userId}@former.example.org`, /made in your name/)

  const release = await suspend(stage, 'accounts')
  await later('P3D')
  await stage.becomes(at, ({ state }) => state === 'fulfilling')
  tell(`withdrawn now? ${await refusal(portal('POST', `${at}/withdrawal`))}`)
  await release()
  await reaches(at, 'completed')
  await showRows(stage, 'after ')
  const certificate = await stage.letter(person.email, /17\(3\)\(b\)/)
  stage.show(certificate.text.split('\n').filter(line => /Article 17\(3\)/.test(line)))
  await tellStanding(stage)

  await later('P7D')
  await stage.recorded(at, 'erasure_confirmed_again')
  tell('all five were searched again: nothing has come back')
  await comeBackAndGo(stage, at)
}

/** Whoever knows who is who is asked last; kept from answering, it shows the point of no return. @returns how to let it answer */
async function suspend({ officer, tell }: Stage, name: string): Promise<() => Promise<void>> {
  const { adapters } = await officer<{ adapters: { id: string; name: string }[] }>('GET', '/v1/adapters')
  const at = `/v1/adapters/${adapters.find(adapter => adapter.name === name)?.id}/suspension`
  await officer('POST', at)
  tell(`${name} is suspended for a moment, so that the point of no return can be seen`)
  return async () => {
    await officer('DELETE', at)
    tell(`${name} is back`)
  }
}

/** An old backup brings something back, which the search after 30 days finds; a person has it erased again. */
async function comeBackAndGo({ house, person, tell, officer, ...stage }: Stage, at: string): Promise<void> {
  await askLms(
    house.lmsUrl,
    `insert into lms_learning.forum_posts (user_id, course, subject, message, created_at, edited)
     values ($1, 'Statistics I', 'Hello again', 'from an old backup', now(), false)`,
    [person.userId],
  )
  tell('somebody restores an old backup of learning: a forum post is back')
  await stage.later('P23D')
  const { flags } = await stage.becomes(at, request => request.flags.includes('unconfirmed_erasure'))
  tell(`the search after 30 days found it: the request needs eyes, flag ${flags.join(', ')}`)
  type Seen = { id: string; adapter: string; problem: { code: string } | null }
  const { tasks } = await officer<{ tasks: Seen[] }>('GET', `${at}/tasks`)
  const found = tasks.find(({ problem }) => problem?.code === 'still_there')
  await officer('POST', `${at}/tasks/${found?.id}/retry`)
  await stage.becomes(at, request => !request.flags.includes('unconfirmed_erasure'))
  tell(`the officer had ${found?.adapter} erase it again; nothing is left`)
}
