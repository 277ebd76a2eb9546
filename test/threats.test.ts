import { expect, test } from '@jest/globals'
import { at, type Node, readModules } from './support/module-graph.ts'

/**
 * The rows of the threat model that have to be proven: T01–T18 who is asking, T19–T30 what is whose, T31–T44 tokens, T45–T55
 * insiders, T56–T66 where we may call, T67–T84 what adapters answer, T85–T91 letters and reports, T92–T99 the way to the copy, T109–T114
 * what calls back. So have the faults of adapters, F30–F37. A test proves a row by having its number in its title, or
 * in front of the line of the table that its title is made of.
 */
const ROWS = [...numbers('T', 1, 99), ...numbers('T', 109, 114), ...numbers('F', 30, 37)]

/** Rows that no test can prove here, and why not. */
const EXCUSED: Record<string, string> = {
  T24: 'One deployment serves one controller: there is no other tenant whose adapters a request could reach.',
  T81: 'An archive that an adapter sends is a file like any other, sealed as the bytes it came in: nothing here unpacks anything.',
  F36: 'An answer is one stream: the protocol has no pages that could name each other for ever, and a stream without end is T67.',
  T83: 'What an adapter holds of a person is theirs, whatever it is: it is handed out as bytes and never opened here. Files of strangers, which our staff open, are scanned.',
}

test('every threat and every fault is named by a test that proves the defence, or excused with a reason', () => {
  const titles = readModules('test/**/*.ts').flatMap(({ nodes }) => nodes.flatMap(titlesOf))
  const proven = new Set(titles.flatMap(title => title.match(/\b[TF]\d{2,3}\b/g) ?? []))
  expect(ROWS.filter(row => !proven.has(row) && !(row in EXCUSED))).toEqual([])
  expect(Object.keys(EXCUSED).filter(row => proven.has(row) || !ROWS.includes(row))).toEqual([])
  expect(Object.values(EXCUSED).filter(reason => !/^[A-Z].{30,}\.$/.test(reason))).toEqual([])
})

function numbers(letter: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, n) => `${letter}${String(from + n).padStart(2, '0')}`)
}

/** What is written out of the titles of `test`, `describe` and their `each`, and every text that begins with the number of a row. */
function titlesOf(node: Node): string[] {
  const text = node.type === 'TemplateElement' ? node.raw : node.type === 'StringLiteral' ? node.value : undefined
  if (typeof text === 'string') return /^[TF]\d{2,3} /.test(text) ? [text] : []
  if (node.type !== 'CallExpression') return []
  const named = [at(node, 'callee'), at(node, 'callee', 'callee', 'object')].map(callee => at(callee, 'value'))
  const title = at(node, 'arguments', 0, 'expression', 'value')
  return typeof title === 'string' && named.some(name => name === 'test' || name === 'describe') ? [title] : []
}
