/**
 * The language somebody wants most of those there are, by the header Accept-Language (RFC 9110, 12.5.4), or English. For pages that
 * are about no request: whoever has one is spoken to in its language.
 */
export function wantedLanguage(header: string | undefined, languages: readonly string[]): string {
  const wishes = (header ?? '').split(',', 20).map(wish => {
    const [range = '', ...parameters] = wish
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    const weight = parameters.find(one => one.startsWith('q='))?.slice(2) ?? '1'
    return { language: range.split('-')[0] ?? '', weight: Number(weight) }
  })
  const [best] = wishes
    .filter(({ language, weight }) => languages.includes(language) && weight > 0)
    .sort((a, b) => b.weight - a.weight)
  return best?.language ?? 'en'
}
