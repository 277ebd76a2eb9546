import { expect, test } from '@jest/globals'
import { parseReceivers } from '../../src/policy/receivers.ts'

const UNIVERSITY = { id: 'university', name: 'Open University', endpoint: 'https://university.example/packages' }
const parse = (...receivers: object[]) => parseReceivers(JSON.stringify(receivers), ['10.0.0.7:8443', '127.0.0.1:9000'])

test('there is none unless somebody registers one', () => {
  expect(parse()).toEqual([])
  expect(parse(UNIVERSITY, { ...UNIVERSITY, id: 'school', endpoint: 'http://127.0.0.1:9000' })).toEqual([
    UNIVERSITY,
    { ...UNIVERSITY, id: 'school', endpoint: 'http://127.0.0.1:9000/' },
  ])
})

test.each<[string, object[], string]>([
  ['is there twice', [UNIVERSITY, UNIVERSITY], 'names an id twice'],
  ['has no name', [{ ...UNIVERSITY, name: '' }], '/0/name'],
  ['says more than it may', [{ ...UNIVERSITY, token: 'secret' }], 'additional'],
  ['is reached in the clear', [{ ...UNIVERSITY, endpoint: 'http://university.example/' }], 'only https is spoken'],
  ['is inside our own network', [{ ...UNIVERSITY, endpoint: 'https://10.0.0.8/' }], 'not a public address'],
  ['is reached with a password', [{ ...UNIVERSITY, endpoint: 'https://a:b@university.example/' }], '/0/endpoint'],
  ['is no web address', [{ ...UNIVERSITY, endpoint: 'ftp://university.example/' }], '/0/endpoint'],
])('one that %s stops the start', (_, receivers, complaint) => {
  expect(() => parse(...receivers)).toThrow(complaint)
})
