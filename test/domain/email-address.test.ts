import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import addressparser from 'nodemailer/lib/addressparser'
import { parseEmailAddress } from '../../src/domain/email-address.ts'

describe('an e-mail address', () => {
  test.each([
    ['ana@example.org', 'ana@example.org'],
    ['Ana.Perez@example.org', 'Ana.Perez@example.org'],
    ["o'brien+dsar@EXAMPLE.Org", "o'brien+dsar@example.org"],
    ['ana@bücher.example', 'ana@xn--bcher-kva.example'],
    ['ana@BÜCHER.example', 'ana@xn--bcher-kva.example'],
    ['ana@xn--bcher-kva.example', 'ana@xn--bcher-kva.example'],
    ['ana@例え.テスト', 'ana@xn--r8jz45g.xn--zckzah'],
    ['ana@sub-domain.co.uk', 'ana@sub-domain.co.uk'],
  ])('%s is read as %s', (written, read) => {
    expect(parseEmailAddress(written)).toBe(read)
  })

  test.each([
    ['a line break and a header', 'v@x.test\r\nBcc: evil@x.test'],
    ['a line break and a command', 'v@x.test\r\nRCPT TO:<evil@x.test>'],
    ['a list', 'a@b.test,c@d.test'],
    ['a list by semicolon', 'a@b.test;c@d.test'],
    ['a quoted local part that holds another address', '"x@evil.test y"@good.test'],
    ['a comment in the domain', 'user@good(x)evil.test'],
    ['a comment before the @', 'user(x)@good.test'],
    ['a soft hyphen in the domain', 'user@go\u00adod.test'],
    ['a soft hyphen before the @', 'us\u00ader@good.test'],
    ['a zero-width joiner', 'user@go\u200dod.test'],
    ['a variation selector', 'user@good\ufe0f.test'],
    ['a right-to-left override', 'user@\u202etset.doog'],
    ['full-width letters', 'user@ｇood.test'],
    ['the Kelvin sign', 'user@\u212aelvin.test'],
    ['an ideographic full stop', 'user@good。test'],
    ['two @', 'user@good.test@evil.test'],
    ['a percent route', 'user%evil.test@good.test'],
    ['a bang path', 'evil.test!user@good.test'],
    ['a display name', 'Ana <ana@good.test>'],
    ['spaces around', ' ana@good.test '],
    ['a null byte', 'ana\0@good.test'],
    ['an IPv4 literal', 'ana@[127.0.0.1]'],
    ['an IPv4 address', 'ana@127.0.0.1'],
    ['an IPv4 address in disguise', 'ana@0x7f.1'],
    ['an IPv6 literal', 'ana@[IPv6:::1]'],
    ['a bare host', 'ana@localhost'],
    ['a root dot', 'ana@good.test.'],
    ['two dots before the @', 'a..na@good.test'],
    ['a leading dot', '.ana@good.test'],
    ['two dots in the domain', 'ana@good..test'],
    ['a label that starts with a hyphen', 'ana@-good.test'],
    ['an underscore in the domain', 'ana@go_od.test'],
    ['an A-label that decodes to nothing', 'ana@xn--a.test'],
    ['no local part', '@good.test'],
    ['no domain', 'ana@'],
    ['nothing', ''],
    ['a local part of 65', `${'a'.repeat(65)}@good.test`],
    ['255 characters', `a@${`${'b'.repeat(60)}.`.repeat(4)}${'c'.repeat(6)}.test`],
  ])('T89 is not %s', (_, written) => {
    expect(parseEmailAddress(written)).toBeUndefined()
  })

  test('is taken up to 254 characters', () => {
    const longest = `a@${`${'b'.repeat(60)}.`.repeat(4)}${'c'.repeat(8)}`
    expect(longest).toHaveLength(254)
    expect(parseEmailAddress(longest)).toBe(longest)
  })

  const pieces = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9]{1,4}$/) },
      fc.constantFrom(
        '@',
        '.',
        'good.test',
        ',',
        ';',
        '<',
        '>',
        '"',
        '(',
        ')',
        '\\',
        ':',
        '%',
        ' ',
        '\t',
        '\r\n',
        '\0',
        '\u00ad',
        '\u202e',
        'ü',
        '=?utf-8?q?a?=',
        "'",
        '[',
        ']',
      ),
      fc.string({ unit: 'grapheme', maxLength: 2 }),
    ),
    { maxLength: 9 },
  )
  const written = fc.oneof(
    fc.emailAddress(),
    pieces.map(parts => parts.join('')),
    pieces.map(parts => `ana${parts.join('')}@good.test`),
  )

  test('T89 once read is read again as itself, in printable ASCII, and by a lenient parser as that one address', () => {
    fc.assert(
      fc.property(written, input => {
        const read = parseEmailAddress(input)
        if (read === undefined) return
        expect(read).toMatch(/^[!-~]{3,254}$/)
        expect(parseEmailAddress(read)).toBe(read)
        expect(addressparser(read)).toEqual([{ name: '', address: read }])
      }),
      { numRuns: 2000 },
    )
  })
})
