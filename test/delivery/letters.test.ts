import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { LetterName, LetterValues } from '../../src/delivery/letters/letters.ts'
import { readCatalogues } from '../../src/delivery/letters/messages.ts'
import { letterWriter, type RenderedLetter, renderLetter } from '../../src/delivery/letters/render-letter.ts'
import { SAMPLES } from '../../src/demo/sample-letters.ts'
import { ALARM_LEVELS } from '../../src/domain/alarms.ts'
import { RIGHTS, type Right } from '../../src/domain/rights.ts'
import { CANCEL_REASONS } from '../../src/requests/close-request.ts'

const VALUES = SAMPLES
const common = VALUES.lapsed
const LINK = VALUES.ready.link
/** Written out in a refusal, and no link. */
const AUTHORITY = VALUES.refusal.authority.url
/** What a subject must not tell whoever sees the screen. */
const TELLING = [
  /access|portab|copy|eras|delet|rectif|correct|restrict|objec|consent|\bopt|marketing|advert|automat|child|\bage\b|refus/i,
  /personal data|article|GDPR|Ana|K7M2/i,
]
const NAMES = Object.keys(VALUES) as LetterName[]

const write = <Name extends LetterName>(name: Name, more: Partial<LetterValues[Name]> = {}): RenderedLetter =>
  renderLetter(name, 'en', { ...VALUES[name], ...more })

const linksIn = (html: string) => [...html.matchAll(/href="([^"]*)"/g)].map(match => match[1]?.replaceAll('&amp;', '&'))
const asText = (html: string) =>
  html
    .replace(/<title>.*?<\/title>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')

describe('every letter', () => {
  test.each(NAMES)('%s: names the reference and the privacy officer, as text and as HTML', name => {
    const { text, html } = write(name)
    for (const part of [text, html]) {
      expect(part).toContain(common.reference)
      expect(part).toContain('privacy@service.test')
    }
  })

  test.each(NAMES)('%s: says the same as text and as HTML', name => {
    const { text, html } = write(name)
    const words = (part: string) => part.split(/\s+/).filter(word => word && !/^(--|\*|>|https:.*)$/.test(word))
    const [first = '', ...subject] = words(write(name).subject)
    const inHtml = words(asText(html))
    expect(inHtml.slice(0, subject.length + 1)).toEqual([first, ...subject])
    expect(inHtml.slice(subject.length + 1).join(' ')).toBe(words(text).join(' ').replace('page: ', 'page '))
  })

  test.each(NAMES)('%s: is a page a screen reader can read: language, title, heading, layout tables marked as such', name => {
    const { html, subject } = write(name)
    expect(html).toContain('<html lang="en">')
    expect(html).toContain(`<title>${subject}</title>`)
    expect(html.match(/<h1 /g)).toHaveLength(1)
    expect(html.match(/<table(?! role="presentation")/g)).toBeNull()
  })

  test.each(NAMES)('%s: loads nothing and runs nothing', name => {
    expect(write(name).html).not.toMatch(/<(img|script|link|iframe|form|style)|url\(|src=|@import| on\w+=/i)
  })

  test.each(NAMES)('%s: has no gap', name => {
    const { subject, text, html } = write(name)
    for (const part of [subject, text, html]) expect(part).not.toMatch(/undefined|null|\[object|NaN|\{\w+\}/)
  })

  test.each(NAMES)('%s: does not tell in its subject which right, who, or the code', name => {
    for (const told of TELLING) expect(write(name).subject).not.toMatch(told)
  })
})

describe('what a letter says', () => {
  test('the code, for how long, what was asked, and that nothing happens without it', () => {
    const { text } = write('identity-code')
    expect(text).toContain('\n    K7M2-94XP\n')
    expect(text).toContain('a copy of the personal data held about you (Article 15 GDPR)')
    expect(text).toContain('valid for 10 minutes')
    expect(text).toContain('without the code nothing happens')
  })

  test('when the request came and by when it will be answered', () => {
    expect(write('acknowledgment').text).toMatch(/On March 4, 2026 we received .* by April 3, 2026 at the latest/s)
  })

  test('until when the link works, by the clock on the wall of the reader', () => {
    expect(write('ready').text).toMatch(/until April 4, 2026 at 00:30 (GMT\+2|CEST)/)
    expect(write('ready', { timeZone: 'America/New_York' }).text).toMatch(/until April 3, 2026 at 18:30 EDT/)
  })

  test.each([
    [1, 'can be used once'],
    [3, 'can be used 3 times'],
  ])('how often the link works: %i', (uses, said) => {
    expect(write('ready', { uses }).text).toContain(said)
  })

  test('that the page will ask for a code', () => {
    expect(write('ready').text).toContain('will ask you for a code')
  })

  test.each(['lapsed', 'cancelled'] as const)('%s: where to complain when nothing was done (Art. 12(4) GDPR)', name => {
    expect(write(name).text).toMatch(/complain to a data protection supervisory authority or go to court/)
  })

  test('the reason of a cancellation, whichever it was', () => {
    const texts = CANCEL_REASONS.map(reason => write('cancelled', { reason }).text)
    expect(new Set(texts).size).toBe(CANCEL_REASONS.length)
  })

  test('each right in words', () => {
    const texts = (Object.keys(RIGHTS) as Right[]).map(right => write('identity-code', { right }).text)
    expect(texts.every(text => /Article \d\d GDPR/.test(text))).toBe(true)
  })

  test('to the privacy officer: the level, the right, the day, the state and the flags', () => {
    const { text, subject } = write('deadline-alarm')
    expect(subject).toBe('Deadline alarm: a request is due on April 3, 2026')
    expect(text).toMatch(/three days.*Article 15.*Due on: April 3, 2026.*State: fulfilling.*Flags: failed_task, late_risk/s)
    expect(write('deadline-alarm', { flags: [] }).text).toContain('Flags: none')
    const levels = Object.keys(ALARM_LEVELS) as (keyof typeof ALARM_LEVELS)[]
    expect(new Set(levels.map(level => write('deadline-alarm', { level }).text)).size).toBe(levels.length)
  })
})

describe('the one link of a letter', () => {
  test.each(NAMES)('%s: is the one it was given, or there is none', name => {
    const links = name === 'ready' ? [LINK] : []
    expect(linksIn(write(name).html)).toEqual(links)
    const written = 'authority' in VALUES[name] || name === 'rectified' ? [AUTHORITY] : []
    expect(write(name).text.match(/https?:\S+/g) ?? []).toEqual([...links, ...written])
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', '/v1/downloads/abc', 'https://bank.test@evil.test/'])(
    'is never %s',
    link => {
      expect(() => write('ready', { link })).toThrow()
    },
  )
})

describe('a name', () => {
  test.each([['Ana Núñez'], ["Conan O'Brien-Smith"], ['J. R. R. Tolkien'], ['明子 鈴木'], ['محمد علي'], ['Zoë']])(
    '%s is greeted',
    name => {
      expect(write('lapsed', { name }).text).toMatch(new RegExp(`^Hello ${name},`))
      expect(asText(write('lapsed', { name }).html)).toContain(`Hello ${name},`)
    },
  )

  test.each([
    ['markup', '"><a href=http://evil>'],
    ['a script', '<script>alert(1)</script>'],
    ['a template', '{{7*7}}'],
    ["this engine's template", '<%= process.env %>'],
    ["this file's template", '{reference}'],
    ['ten kilobytes', 'A'.repeat(10_240)],
    ['an address', 'https://evil.test/pay'],
    ['a bare host', 'please visit evil.test'],
    ['an e-mail address', 'call@evil.test'],
    ['nothing', ''],
    ['spaces', ' \u200b '],
  ])('that is %s is not repeated', (_, name) => {
    const { html, text } = write('ready', { name })
    expect(text.startsWith('Hello,\n')).toBe(true)
    expect(linksIn(html)).toEqual([LINK])
    expect(html + text).not.toMatch(/evil|<script|<%|7\*7|49|AAAA/)
  })

  test('does not turn the direction of reading, nor break its line', () => {
    const { html, text } = write('lapsed', { name: 'Ana\u202e\u2066 \r\nNúñez' })
    expect(text).toMatch(/^Hello Ana Núñez,\n/)
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
  })
})

test('whatever a value is, it is text: no markup, no second link, nothing invisible', () => {
  const hostile = fc.string({
    unit: fc.oneof(
      fc.constantFrom('<', '>', '"', "'", '&', '{', '}', '%', '=', '\n', '\u202e', '\0', 'a'),
      fc.string({ unit: 'grapheme', maxLength: 1 }),
    ),
  })
  const plain = write('ready').html.match(/<[^>]*>/g)
  fc.assert(
    fc.property(hostile, hostile, hostile, (name, officer, reference) => {
      const { html, text } = write('ready', { name, officer, reference })
      expect(html.match(/<[^>]*>/g)).toEqual(plain)
      expect(html + text).not.toMatch(/[\p{Bidi_Control}\0]/u)
    }),
  )
})

describe('languages', () => {
  const { de = {} } = readCatalogues()

  test.each([
    ['de', 'Ihr Antrag ist beendet', 'de'],
    ['de-AT', 'Ihr Antrag ist beendet', 'de'],
    ['fr', 'Your request has ended', 'en'],
    ['__proto__', 'Your request has ended', 'en'],
    ['', 'Your request has ended', 'en'],
  ])('a letter for %j says "%s"', (locale, subject, language) => {
    const letter = renderLetter('lapsed', locale, VALUES.lapsed)
    expect(letter.subject).toBe(subject)
    expect(letter.html).toContain(`<html lang="${language}">`)
  })

  test('dates are written as the language writes them', () => {
    const letter = renderLetter('acknowledgment', 'de-AT', VALUES.acknowledgment)
    expect(letter.text).toContain('3. April 2026')
  })

  test('a letter with a message missing is not written', () => {
    const torn = Object.fromEntries(Object.entries(de).filter(([name]) => name !== 'lapsed.again'))
    expect(() => letterWriter({ ...readCatalogues(), de: torn })('lapsed', 'de', VALUES.lapsed)).toThrow(
      "no message 'lapsed.again' in 'de'",
    )
  })

  test('a letter with a value missing is not written', () => {
    const asking = letterWriter({ en: { ...readCatalogues().en, 'identity-code.valid': 'Valid for {hours} hours' } })
    expect(() => asking('identity-code', 'en', VALUES['identity-code'])).toThrow("needs 'hours'")
  })
})
