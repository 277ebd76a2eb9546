import { describe, expect, test } from '@jest/globals'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { CATEGORIES } from '../../src/policy/policy.ts'
import { authorityFor, categoryFor } from '../../src/policy/texts.ts'

const policy = loadPolicy()

describe('what a letter quotes of the policy', () => {
  test.each(['de', 'de-AT', 'DE_ch'])('is in the reader’s language where the policy has it: %s', locale => {
    expect(authorityFor(policy, locale)).toMatchObject({ name: expect.stringContaining('Aufsichtsbehörde'), language: 'de' })
    expect(categoryFor(policy, 'usage', locale)).toEqual({ text: 'Nutzung', language: 'de' })
  })

  test.each(['en', 'fr', '', '__proto__', 'constructor'])(
    'is as the policy says it otherwise, and says in which language: %j',
    locale => {
      expect(authorityFor(policy, locale)).toEqual({ ...policy.supervisoryAuthority, language: 'en' })
      expect(categoryFor(policy, 'usage', locale)).toEqual({ text: 'Usage', language: 'en' })
    },
  )

  test('was translated for every kind of data', () => {
    const german = CATEGORIES.map(category => categoryFor(policy, category, 'de').text)
    const english = CATEGORIES.map(category => policy.categories[category].title)
    expect(german.filter(title => english.includes(title) && title !== 'Marketing')).toEqual([])
  })

  test('is not in two languages where an older version of the policy has no translation', () => {
    const { translations: _none, ...older } = policy
    expect(authorityFor(older, 'de').language).toBe('en')
    expect(categoryFor(older, 'usage', 'de')).toEqual({ text: 'Usage', language: 'en' })
  })
})
