import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { LANGUAGES } from '../src/delivery/letters/messages.ts'
import { messagesFor } from '../src/packaging/messages.ts'

type Texts = Record<string, string>

const read = (folder: string, language: string): Texts => JSON.parse(readFileSync(`src/${folder}/${language}.json`, 'utf8'))
const languagesIn = (folder: string) =>
  readdirSync(`src/${folder}`).flatMap(file => (file.endsWith('.json') ? file.slice(0, -5) : []))
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()
const wordsOf = (text: string) => text.replace(/\{\w+\}/g, '').match(/\p{L}+/gu) ?? []

const FOLDERS = ['delivery/letters', 'packaging/messages']

test('every language there are messages in is offered', () => {
  expect(languagesIn('delivery/letters').sort()).toEqual([...LANGUAGES].sort())
  for (const language of languagesIn('packaging/messages')) expect(messagesFor(language).language).toBe(language)
  expect(languagesIn('packaging/messages').sort()).toEqual([...LANGUAGES].sort())
})

describe.each(FOLDERS)('the messages in %s', folder => {
  const english = read(folder, 'en')
  const others = languagesIn(folder).filter(language => language !== 'en')

  test.each(others)('say in %s each thing that they say in English, and nothing else, in the same order', language => {
    expect(Object.keys(read(folder, language))).toEqual(Object.keys(english))
  })

  test.each(others)('take in %s the values that they take in English', language => {
    const texts = Object.entries(read(folder, language))
    expect(texts.map(([key, text]) => [key, placeholders(text)])).toEqual(
      Object.entries(english).map(([key, text]) => [key, placeholders(text)]),
    )
  })

  test.each(others)('were all translated to %s', language => {
    const same = Object.entries(read(folder, language)).filter(([key, text]) => wordsOf(text).length > 0 && text === english[key])
    expect(same).toEqual([])
  })

  test.each(others)('count in %s what that language counts apart', language => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions()
    const counted = Object.keys(english).filter(key => key.endsWith('.other'))
    const texts = read(folder, language)
    const needed = counted.flatMap(key => pluralCategories.map(category => key.replace(/other$/, category)))
    expect(needed.filter(key => !(key in texts))).toEqual([])
  })
})

test('German addresses whoever reads with "Sie"', () => {
  const texts = FOLDERS.flatMap(folder => Object.values(read(folder, 'de')))
  expect(texts.filter(text => /\b(du|dich|dir|deine?[mnrs]?|euch|eure?[mnrs]?)\b/i.test(text))).toEqual([])
})
