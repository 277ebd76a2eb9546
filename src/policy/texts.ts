import type { Policy } from './policy.ts'

/** Words of the policy, and the language they are in. */
export interface PolicyText {
  text: string
  language: string
}

type Translated = Pick<Policy, 'language' | 'translations'>

/** The translation for a reader of that locale (BCP 47), where the policy has one. */
function translationFor({ translations = {} }: Translated, locale: string) {
  const [language = ''] = locale.toLowerCase().split(/[-_]/)
  const words = Object.hasOwn(translations, language) ? translations[language] : undefined
  return words && { language, words }
}

/** Where to complain, in the reader's language or as the policy says it. */
export function authorityFor(
  policy: Translated & Pick<Policy, 'supervisoryAuthority'>,
  locale: string,
): { name: string; url: string; language: string } {
  const found = translationFor(policy, locale)
  const { name, url } = policy.supervisoryAuthority
  return { name: found?.words.supervisoryAuthority ?? name, url, language: found?.language ?? policy.language }
}

/** What a kind of data is called, in the reader's language or as the policy says it. */
export function categoryFor(policy: Translated & Pick<Policy, 'categories'>, category: string, locale: string): PolicyText {
  const found = translationFor(policy, locale)
  const known: Partial<Record<string, { title: string }>> = policy.categories
  const translated: Partial<Record<string, string>> = found?.words.categories ?? {}
  return {
    text: translated[category] ?? known[category]?.title ?? category,
    language: found?.language ?? policy.language,
  }
}
