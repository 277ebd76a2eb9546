import { Readable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Protection } from '../../src/policy/others-rights.ts'
import { withholding } from '../../src/tasks/withhold.ts'

const by = { rule: 'others', reason: 'rights_of_others', says: 'Names are left out.' } as const
const MARKER = '"[withheld: rights of others]"'
const REPLIES: Protection = { fields: new Map(['author', 'participants'].map(name => [name, by])) }
const SECRETS: Protection = { whole: by, fields: new Map() }

/** A sink that remembers what reached it, behind the protection of replies and secrets. */
function openDoor() {
  const came: { dataset: string; text: string; value?: unknown }[] = []
  const door = withholding(
    {
      record: (dataset, json, value) => void came.push({ dataset, text: json.toString(), value }),
      async file(dataset, _meta, content) {
        for await (const chunk of content) came.push({ dataset, text: String(chunk) })
      },
    },
    new Map([
      ['replies', REPLIES],
      ['secrets', SECRETS],
    ]),
  )
  const record = (text: string, dataset = 'replies') => door.record(dataset, Buffer.from(text), JSON.parse(text))
  return { came, door, record }
}

/** What becomes of one reply. */
function reply(text: string): string | undefined {
  const { came, record } = openDoor()
  record(text)
  return came[0]?.text
}

describe('a field that is withheld', () => {
  test.each([
    ['a text', '{"author":"Kim","text":"hello"}', `{"author":${MARKER},"text":"hello"}`],
    ['an object, whatever is in it', '{"author":{"name":"Kim","of":[{"a":"}"}]}}', `{"author":${MARKER}}`],
    ['a list', '{"participants":["Kim","\\"]Lee"],"id":1}', `{"participants":${MARKER},"id":1}`],
    ['a number', '{"author":9007199254740993}', `{"author":${MARKER}}`],
    ['a name that is written in another way', '{"\\u0061uth\\u006Fr" : "Kim"}', `{"\\u0061uth\\u006Fr" : ${MARKER}}`],
    ['a name that is there twice', '{"author":"Kim","x":1,"author":null}', `{"author":${MARKER},"x":1,"author":null}`],
    ['two names', '{"author":"Kim","participants":["Lee"]}', `{"author":${MARKER},"participants":${MARKER}}`],
  ])('is replaced where it is %s', (_, sent, kept) => {
    expect(reply(sent)).toBe(kept)
  })

  test('leaves every other byte of the record as it was written', () => {
    const around = [' {"id" : 12345678901234567890, "n":1.10, "author" :', '\t, "of":{"author":"me"} ,"e":"\\u00e9" } ']
    expect(reply(around.join(' "Kim" '))).toBe(around.join(` ${MARKER} `))
  })

  test.each(['null', '""', '[]', '{}'])('has nothing to withhold when it is %s', empty => {
    const { came, door, record } = openDoor()
    record(`{"author":${empty}}`)
    expect(came[0]?.text).toBe(`{"author":${empty}}`)
    expect(door.withheld()).toEqual([])
  })

  test('is gone from the value that the table is made from, too', () => {
    const { came, record } = openDoor()
    record('{"author":"Kim","author":"Lee","__proto__":"x"}')
    expect(JSON.stringify(came[0]?.value)).toBe(`{"author":${MARKER},"__proto__":"x"}`)
  })

  test('never gets through, whatever record it is in', () => {
    const member = fc.tuple(fc.constantFrom<string>('author', 'participants', 'text', 'a"b', '}'), fc.jsonValue({ maxDepth: 2 }))
    fc.assert(
      fc.property(fc.array(member), fc.nat(), fc.jsonValue(), (members, at, inside) => {
        const planted: [string, unknown] = ['author', { KANARIE: [inside, 'KANARIE'] }]
        const all: [string, unknown][] = [...members]
        all.splice(at % (members.length + 1), 0, planted)
        const sent = `{${all.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(' , ')}}`
        const { came, record } = openDoor()
        record(sent)
        const [one] = came
        expect(`${one?.text}${JSON.stringify(one?.value)}`).not.toContain('KANARIE')
        expect(one?.value).toEqual(JSON.parse(one?.text ?? ''))
        const others = (record: object) => Object.entries(record).filter(([key]) => !REPLIES.fields.has(key))
        expect(others(one?.value as object)).toEqual(others(JSON.parse(sent)))
      }),
    )
  })
})

describe('a dataset that is withheld', () => {
  test('is counted, and neither its records nor its files are kept', async () => {
    const { came, door, record } = openDoor()
    record('{"a":1}', 'secrets')
    record('{"a":2}', 'secrets')
    const content = Readable.from([Buffer.from('a'), Buffer.from('b')])
    await door.file('secrets', { name: 'x', mediaType: 'text/plain' }, content)
    expect(content.readableEnded).toBe(true)
    expect(came).toEqual([])
    expect(door.withheld()).toEqual([{ dataset: 'secrets', records: 3, ...by }])
  })

  test('leaves a file that breaks off a file that broke off', async () => {
    const content = new Readable({ read: () => content.destroy(new Error('cut')) })
    await expect(openDoor().door.file('secrets', { name: 'x', mediaType: 'text/plain' }, content)).rejects.toThrow('cut')
  })
})

test('of other datasets records and files pass as they are', async () => {
  const { came, door, record } = openDoor()
  record('{"author":"me"}', 'posts')
  await door.file('replies', { name: 'x', mediaType: 'text/plain' }, Readable.from(['file']))
  expect(came.map(({ text }) => text)).toEqual(['{"author":"me"}', 'file'])
  expect(door.withheld()).toEqual([])
})

test('the log counts the records of each field', () => {
  const { door, record } = openDoor()
  for (const text of ['{"author":"Kim"}', '{"author":"Lee","participants":[1]}', '{"text":"x"}']) record(text)
  expect(door.withheld()).toEqual([
    { dataset: 'replies', field: 'author', records: 2, ...by },
    { dataset: 'replies', field: 'participants', records: 1, ...by },
  ])
})
