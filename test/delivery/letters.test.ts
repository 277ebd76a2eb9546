import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { LetterName, LetterValues } from '../../src/delivery/letters/letters.ts'
import { LANGUAGES, readCatalogues } from '../../src/delivery/letters/messages.ts'
import { letterWriter, type RenderedLetter, renderLetter } from '../../src/delivery/letters/render-letter.ts'
import { SAMPLES } from '../../src/demo/sample-letters.ts'
import { ALARM_LEVELS } from '../../src/domain/alarms.ts'
import { RIGHTS } from '../../src/domain/rights.ts'
import { PURPOSES } from '../../src/policy/policy.ts'
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
  /auskunft|übertrag|kopie|lösch|berichtig|einschränk|widerspr|widerruf|einwillig|werbung|automat|kind|alter\b|ablehn|artikel|DSGVO/i,
]
const NAMES = Object.keys(VALUES) as LetterName[]

const EVERY = LANGUAGES.flatMap(language => NAMES.map(name => [name, language] as const))

const write = <Name extends LetterName>(name: Name, more: Partial<LetterValues[Name]> = {}, language = 'en'): RenderedLetter =>
  renderLetter(name, language, { ...VALUES[name], ...more })

const linksIn = (html: string) => [...html.matchAll(/href="([^"]*)"/g)].map(match => match[1]?.replaceAll('&amp;', '&'))
const asText = (html: string) =>
  html
    .replace(/<title>.*?<\/title>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')

describe('every letter in every language', () => {
  test.each(EVERY)('%s, %s: names the reference and the privacy officer, as text and as HTML', (name, language) => {
    const { text, html } = write(name, {}, language)
    for (const part of [text, html]) {
      expect(part).toContain(VALUES[name].reference)
      expect(part).toContain('privacy@service.test')
    }
  })

  test.each(EVERY)('%s, %s: says the same as text and as HTML', (name, language) => {
    const { text, html, subject } = write(name, {}, language)
    const words = (part: string) => part.split(/\s+/).filter(word => word && !/^(--|\*|>|https:.*)$/.test(word))
    const inSubject = words(subject)
    const inHtml = words(asText(html))
    expect(inHtml.slice(0, inSubject.length)).toEqual(inSubject)
    const label = language === 'de' ? 'öffnen' : 'page'
    expect(inHtml.slice(inSubject.length).join(' ')).toBe(words(text).join(' ').replace(`${label}: `, `${label} `))
  })

  test.each(EVERY)(
    '%s, %s: is a page a screen reader can read: language, title, heading, layout tables marked as such',
    (name, language) => {
      const { html, subject } = write(name, {}, language)
      expect(html).toContain(`<html lang="${language}">`)
      expect(html).toContain(`<title>${subject}</title>`)
      expect(html.match(/<h1 /g)).toHaveLength(1)
      expect(html.match(/<table(?! role="presentation")/g)).toBeNull()
    },
  )

  test.each(EVERY)('%s, %s: loads nothing and runs nothing', (name, language) => {
    expect(write(name, {}, language).html).not.toMatch(/<(img|script|link|iframe|form|style)|url\(|src=|@import| on\w+=/i)
  })

  test.each(EVERY)('%s, %s: has no gap', (name, language) => {
    const { subject, text, html } = write(name, {}, language)
    for (const part of [subject, text, html]) expect(part).not.toMatch(/undefined|null|\[object|NaN|\{\w+\}/)
  })

  test.each(EVERY)('T90 %s, %s: does not tell in its subject which right, who, or the code', (name, language) => {
    for (const told of TELLING) expect(write(name, {}, language).subject).not.toMatch(told)
  })

  test.each(NAMES)('%s: tells days and moments as the language does', name => {
    const english = /\b(January|February|March|May|June|July|October|December)\b|\d(st|th|:\d\d [AP]M)/
    expect(write(name, {}, 'de').text).not.toMatch(english)
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

  test.each(LANGUAGES)('each right in its own words and with its article: %s', language => {
    const { [language]: messages = {} } = readCatalogues()
    const rights = Object.entries(messages).filter(([key]) => key.startsWith('right.'))
    expect(rights.map(([key]) => key.slice('right.'.length))).toEqual(expect.arrayContaining(Object.keys(RIGHTS)))
    expect(new Set(rights.map(([, text]) => text)).size).toBe(11)
    expect(rights.every(([, text]) => /\((Article|Artikel) \d+.* (GDPR|DSGVO)\)$/.test(text))).toBe(true)
  })

  test('every purpose that the policy knows', () => {
    const { text } = write('consent-receipt', { purposes: [...PURPOSES] })
    expect(text.match(/^\* /gm)).toHaveLength(PURPOSES.length + VALUES['consent-receipt'].cookies.length)
  })

  test('the window of the answer, from its first to its last day', () => {
    expect(write('acknowledgment').text).toContain('runs from March 4, 2026 to April 3, 2026')
  })

  test('what stays after an erasure, why, by which law and until when', () => {
    const { text } = write('erased')
    expect(text).toMatch(/except for what is named below/)
    expect(text).toMatch(
      /^\* Invoices, until December 31, 2033: the law obliges us to keep it, Article 17\(3\)\(b\) GDPR \(§ 147 AO\)$/m,
    )
    expect(text).toMatch(/search all services again on:\n\n\* March 14, 2026\n\* April 6, 2026/)
  })

  test('of an erasure that was narrowed claims no more than that', () => {
    const { text } = write('erased', { only: [{ text: 'Usage', language: 'en' }], kept: [] })
    expect(text).toContain('the data of these kinds')
    expect(text).toContain('Usage')
    expect(text).not.toContain('we erased the personal data held about you')
  })

  test('that nothing stays where nothing does, and then of no complaint', () => {
    const { text } = write('erased', { kept: [], rescans: [], adapters: 1 })
    expect(text).not.toMatch(/except|below|complain|again on/)
    expect(text).toContain('One service was asked')
  })

  test('who was only taken at their word, and then of no search of theirs', () => {
    const { text } = write('erased', { adapters: 1, confirmed: ['Vendor'] })
    expect(text).toMatch(/One service was asked.*cannot search ourselves[^*]*\n\n\* Vendor/s)
    expect(text).toContain('all services that we can search again on')
    const alone = write('erased', { adapters: 0, confirmed: ['Vendor'], kept: [], rescans: [] }).text
    expect(alone).toContain('* Vendor')
    expect(alone).not.toMatch(/searched again|Nothing was erased/)
  })

  test('what an objection came to', () => {
    expect(write('objection-decided').text).toMatch(/do not accept it.*security.*compelling legitimate grounds/s)
    const upheld = renderLetter('objection-decided', 'en', { ...common, outcome: 'upheld', purposes: ['marketing'] })
    expect(upheld.text).toMatch(/no longer used for:\n\n\* advertising/)
    expect(upheld.text).not.toMatch(/complain|compelling/)
  })

  test('the names of corrected fields, and of those that were not', () => {
    expect(write('rectified').text).toMatch(
      /corrected this.*\* Profile: Family name.*not corrected:\n\n\* Certificates: Date of the exam/s,
    )
    expect(renderLetter('rectified', 'en', { ...common, changed: [] }).text).toContain('We have corrected nothing.')
  })

  test('the fee as the reader writes money', () => {
    expect(write('fee-notice').text).toContain('a fee of €12.50')
    expect(write('fee-notice', {}, 'de').text).toMatch(/würde 12,50\s€ kosten/)
  })

  test('to an account said to be a child\u2019s: short sentences, when to contest, and that a grown-up may', () => {
    for (const language of LANGUAGES) {
      const { text } = write('under-age-restricted', {}, language)
      const sentences = text.split('-- ')[0]?.split(/[.?!]\s/) ?? []
      expect(Math.max(...sentences.map(sentence => sentence.split(/\s+/).length))).toBeLessThanOrEqual(28)
      expect(text).toMatch(/23:30/)
      expect(text).not.toMatch(/GDPR|DSGVO|Article|Artikel/)
    }
  })

  test('to whoever reported them nothing at all', () => {
    expect(write('report-received').text).not.toMatch(/account|child|restrict|delet|\d{4}-\d\d-\d\d\b/i)
  })

  test('that a message waits, and not what it says', () => {
    expect(write('message-waiting').text).toContain('it is not in this mail')
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

describe('a refusal, whole or of a part (GDPR Art. 12(4))', () => {
  const REFUSALS = ['refusal', 'partial-refusal', 'erased', 'rectified', 'objection-decided'] as const
  const each = LANGUAGES.flatMap(language => REFUSALS.map(name => [name, language] as const))

  test.each(each)('%s, %s: tells where to complain and that one can go to court', (name, language) => {
    const { text, html } = write(name, {}, language)
    for (const part of [text, html]) {
      expect(part).toContain('Datatilsynet')
      expect(part).toContain(AUTHORITY)
      expect(part).toMatch(/Art[a-z]+ 77 (GDPR|DSGVO)/)
      expect(part).toMatch(/(court|Gericht).*Art[a-z]+ 79 (GDPR|DSGVO)/)
    }
  })

  test.each(each)('%s, %s: gives its reasons', (name, language) => {
    const { text } = write(name, {}, language)
    expect(text).toMatch(name === 'erased' ? /17\(3\)\(b\)|17 Absatz 3 Buchstabe b/ : /^> \w+/m)
  })

  test.each(['', ' \n\n ', '\u200b'])('is not sent with nothing for a reason: %j', reasons => {
    expect(() => write('refusal', { reasons })).toThrow('nothing written')
    expect(() => write('partial-refusal', { reasons })).toThrow('nothing written')
    expect(() => write('extension', { reasons })).toThrow('nothing written')
  })

  test.each(LANGUAGES)('has its own words for each ground and each reason to take longer: %s', language => {
    const { [language]: messages = {} } = readCatalogues()
    for (const group of ['refusal.ground.', 'extension.reason.', 'erased.kept.reason.', 'erasure-announced.ground.']) {
      const texts = Object.entries(messages).flatMap(([key, text]) => (key.startsWith(group) ? text : []))
      expect(texts.length).toBeGreaterThanOrEqual(5)
      expect(new Set(texts).size).toBe(texts.length)
    }
  })

  test('names the provision of national law where there is one', () => {
    expect(write('refusal').text).not.toContain('provision')
    expect(write('refusal', { ground: 'member_state_restriction', citation: '§ 34 BDSG' }).text).toContain(
      'The provision relied upon: § 34 BDSG',
    )
  })
})

describe('what the staff wrote', () => {
  const say = (text: string) => write('answered', { text })
  const plain = say('plain')

  test.each([
    ['markup', '"><a href="https://evil.test">here</a>'],
    ['a script', '<script>alert(1)</script>'],
    ['a template', '{{7*7}} #{7*7}'],
    ["this engine's template", '<%= process.env %>'],
    ["this file's template", '{reference} {officer}'],
    ['ten kilobytes', 'A'.repeat(10_240)],
    ['a link of the wrong kind', 'javascript:alert(1)'],
  ])('is told as it is, as text: %s', (_, text) => {
    const { html, text: asWritten } = say(text)
    expect(html.match(/<[^>]*>/g)).toEqual(plain.html.match(/<[^>]*>/g))
    expect(linksIn(html)).toEqual([])
    expect(asWritten).toContain(`\n> ${text}\n`)
    expect(
      asText(html)
        .replace(/&quot;/g, '"')
        .replace(/&lt;/g, '<')
        .replace(/&gt;/g, '>'),
    ).toContain(text)
  })

  test('keeps its paragraphs', () => {
    const { text, html } = say('One.\nStill one.\r\n\r\nTwo.\n\n\n\nThree.')
    expect(text).toContain('> One. Still one.\n>\n> Two.\n>\n> Three.\n')
    expect(html.match(/<blockquote.*<\/blockquote>/s)?.[0].match(/<p /g)).toHaveLength(3)
  })

  test('does not turn the direction of reading, nor pass for what the letter says itself', () => {
    const { text, html } = say('Pay at once.\u202e\n\n-- \n\nReference: another\n\nQuestions? Write to thief@evil.test')
    expect(html + text).not.toMatch(/[\p{Bidi_Control}]/u)
    const own = text.split('\n').filter(line => /evil|another|^-- /.test(line) && !line.startsWith('> '))
    expect(own).toEqual(['-- '])
  })

  test.each(['question', 'reasons'] as const)('is text in every letter that has it: %s', field => {
    const hostile = '<b>"&\u202e{reference}'
    const letters =
      field === 'question'
        ? [write('clarification', { question: hostile })]
        : [
            write('refusal', { reasons: hostile }),
            write('partial-refusal', { reasons: hostile, parts: [{ text: hostile }] }),
            write('extension', { reasons: hostile }),
            write('fee-notice', { reasons: hostile }),
          ]
    for (const { html, text } of letters) {
      expect(html).not.toMatch(/<b>|\u202e/)
      expect(text).toContain('> <b>"&{reference}')
    }
  })
})

test('T87 what services call their data is text', () => {
  const title = '"><a href="https://evil.test">x</a>\n\u202e{{7*7}}'
  const letters = [
    write('erased', { kept: [{ title, reason: '17_3_b', statute: title, until: '2033-12-31' }] }),
    write('restricted', { kept: [title] }),
    write('rectified', { changed: [{ dataset: title, field: title }] }),
    write('partial-refusal', { parts: [{ text: title }] }),
    write('refusal', { authority: { name: title, url: AUTHORITY, language: 'en' } }),
  ]
  for (const { html, text } of letters) {
    expect(linksIn(html)).toEqual([])
    expect(text + html).not.toContain('\u202e')
    expect(text).toContain('"><a href="https://evil.test">x</a> {{7*7}}')
  }
})

describe('the one link of a letter', () => {
  test.each(NAMES)('T87 %s: is the one it was given, or there is none', name => {
    const values: object = VALUES[name]
    const links = name === 'ready' ? [LINK] : 'notYou' in values ? [VALUES.acknowledgment.notYou?.link] : []
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
  ])('T87 that is %s is not repeated', (_, name) => {
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

test('T87 whatever a value is, it is text: no markup, no second link, nothing invisible', () => {
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

  test('words of the policy that are not in the language of the letter are marked, and said to be so', () => {
    const authority = { name: 'The authority', url: AUTHORITY, language: 'en' }
    const { html, text } = renderLetter('refusal', 'de', { ...VALUES.refusal, authority })
    expect(html).toContain(`<span lang="en">The authority, ${AUTHORITY}</span> (Englisch)`)
    expect(text).toContain(`* The authority, ${AUTHORITY} (Englisch)`)
    const parts = [{ text: 'Usage', language: 'en' }, { text: 'Nutzung', language: 'de' }, { text: 'Notes' }]
    const items = renderLetter('partial-refusal', 'de', { ...VALUES['partial-refusal'], authority, parts }).text
    expect(items).toContain('* Usage (Englisch)\n* Nutzung\n* Notes\n')
    expect(renderLetter('refusal', 'en', { ...VALUES.refusal, authority }).html).not.toContain('<span lang')
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

test('previews of every letter in every language are written to a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'letters-'))
  const { stdout } = await promisify(execFile)(process.execPath, ['src/demo/preview-letters.ts', folder])
  expect(stdout).toContain(join(folder, 'index.html'))
  const listed = linksIn(await readFile(join(folder, 'index.html'), 'utf8'))
  expect(listed).toHaveLength(EVERY.length * 2)
  for (const [name, language] of EVERY) {
    const { html, subject, text } = write(name, {}, language)
    expect(await readFile(join(folder, `${language}/${name}.html`), 'utf8')).toBe(html)
    expect(await readFile(join(folder, `${language}/${name}.txt`), 'utf8')).toBe(`Subject: ${subject}\n\n${text}`)
    expect(listed).toEqual(expect.arrayContaining([`${language}/${name}.html`, `${language}/${name}.txt`]))
  }
  await rm(folder, { recursive: true })
})
