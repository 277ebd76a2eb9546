import { readFileSync } from 'node:fs'
import type english from './messages/en.json'

type Key = keyof typeof english

/** Everything that a package says in words, in one language. Numbers and dates in a message are written as that language does. */
export interface Messages {
  language: string
  say(key: Key, values?: Readonly<Record<string, string | number>>): string
  number(value: number): string
  /** Day and time of an ISO 8601 instant, in UTC, which is also said. */
  instant(iso: string): string
  size(bytes: number): string
}

/** The languages that there is a file of messages for. */
const LANGUAGES = ['en', 'de']

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

const INSTANT = {
  year: 'numeric',
  month: 'long',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
  timeZoneName: 'short',
} as const

/** Messages in the first part of a BCP 47 locale, or in English. */
export function messagesFor(locale: string): Messages {
  const [wanted = ''] = locale.toLowerCase().split(/[-_]/)
  const language = LANGUAGES.includes(wanted) ? wanted : 'en'
  const messages = known.get(language) ?? readMessages(language)
  known.set(language, messages)
  return messages
}

const known = new Map<string, Messages>()

function readMessages(language: string): Messages {
  const texts: Record<Key, string> = JSON.parse(readFileSync(new URL(`./messages/${language}.json`, import.meta.url), 'utf8'))
  const numbers = new Intl.NumberFormat(language)
  const instants = new Intl.DateTimeFormat(language, INSTANT)
  const sizes = UNITS.map(
    unit => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 }),
  )
  const number = (value: number) => numbers.format(value)
  return {
    language,
    number,
    say: (key, values = {}) =>
      texts[key].replace(/\{(\w+)\}/g, (_, name) => {
        const value = values[name] ?? ''
        return typeof value === 'number' ? number(value) : value
      }),
    instant: iso => instants.format(new Date(iso)),
    size(bytes) {
      const scale = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1)
      return sizes[scale]?.format(bytes / 1000 ** scale) ?? ''
    },
  }
}
