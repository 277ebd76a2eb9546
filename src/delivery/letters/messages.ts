import { readFileSync } from 'node:fs'
import type { Day } from '../../domain/day.ts'
import type english from './en.json'
import { plainText } from './plain-text.ts'

export type MessageKey = keyof typeof english
type CountedKey = MessageKey extends infer Key ? (Key extends `${infer Counted}.other` ? Counted : never) : never

/** The codes that a letter has words for: a code without a message is a mistake of types, not a letter that cannot be written. */
export type WordedCode<Group extends string> = MessageKey extends infer Key
  ? Key extends `${Group}.${infer Code}`
    ? Code
    : never
  : never

/** Languages that every letter can be written in. */
export const LANGUAGES = ['en', 'de'] as const

/** The messages of each language, by its BCP 47 primary subtag. English is always there. */
export type Catalogues = Readonly<
  Record<'en', Readonly<Record<string, string>>> & Record<string, Readonly<Record<string, string>>>
>

/** How one language says things. */
export interface Messages {
  language: string
  /** @throws for a message or a value that is not there: a letter with a gap is not sent. */
  say(key: MessageKey, values?: Readonly<Record<string, string | number>>): string
  /** For a number: `<key>.one`, `<key>.other` … as the language counts (CLDR plural rules). */
  count(key: CountedKey, count: number, values: Readonly<Record<string, string | number>>): string
  day(day: Day): string
  /** An amount in the main unit of an ISO 4217 currency. */
  money(amount: string, currency: string): string
  /** An ISO 8601 instant as the clock on the reader's wall shows it, with the zone said. */
  instant(iso: string, timeZone: string): string
  /** What another language is called in this one, by its BCP 47 subtag. */
  languageName(language: string): string
  size(bytes: number): string
}

export function readCatalogues(languages: readonly string[] = LANGUAGES): Catalogues {
  const read = (language: string) => JSON.parse(readFileSync(new URL(`./${language}.json`, import.meta.url), 'utf8'))
  return { en: read('en'), ...Object.fromEntries(languages.map(language => [language, read(language)])) }
}

const conventions = new Map<string, ReturnType<typeof learn>>()
const learn = (language: string) => ({
  days: new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }),
  numbers: new Intl.PluralRules(language),
  names: new Intl.DisplayNames([language], { type: 'language' }),
})

/** How a language writes days, counts things and calls others: dear to find out, and the same for ever. */
function conventionsOf(language: string): ReturnType<typeof learn> {
  const known = conventions.get(language) ?? learn(language)
  conventions.set(language, known)
  return known
}

/** Messages in the language of a locale, or in English when there are none in it. Never both in one letter. */
export function messagesFor(catalogues: Catalogues, locale: string): Messages {
  const [wanted = ''] = locale.toLowerCase().split(/[-_]/)
  const language = Object.hasOwn(catalogues, wanted) ? wanted : 'en'
  const texts = catalogues[language] ?? catalogues.en

  const say = (key: string, values: Readonly<Record<string, string | number>> = {}): string => {
    const text = Object.hasOwn(texts, key) ? texts[key] : undefined
    if (text === undefined) throw new Error(`There is no message '${key}' in '${language}'.`)
    return text.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name]
      if (value === undefined) throw new Error(`The message '${key}' needs '${name}'.`)
      return plainText(String(value))
    })
  }
  const { days, numbers, names } = conventionsOf(language)
  return {
    language,
    say,
    count: (key, count, values) => say(`${key}.${numbers.select(count)}`, values),
    day: day => days.format(new Date(`${day}T00:00:00Z`)),
    money: (amount, currency) => new Intl.NumberFormat(language, { style: 'currency', currency }).format(amount as `${number}`),
    instant: (iso, timeZone) => new Intl.DateTimeFormat(language, { ...INSTANT, timeZone }).format(new Date(iso)),
    languageName: other => names.of(other) ?? other,
    size(bytes) {
      const scale = bytes < 1e6 ? 1 : bytes < 1e9 ? 2 : 3
      const value = bytes / 1000 ** scale
      const digits = { maximumFractionDigits: scale - 1, minimumFractionDigits: scale - 1 }
      const unit = ['', 'kilobyte', 'megabyte', 'gigabyte'][scale]
      return new Intl.NumberFormat(language, { style: 'unit', unit, ...digits }).format(scale === 1 ? Math.ceil(value) : value)
    },
  }
}

const INSTANT = {
  year: 'numeric',
  month: 'long',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
} as const
