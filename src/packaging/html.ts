/** Markup that needs no more escaping, because `html` made it. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

export type Child = string | Html | false | undefined | readonly Child[]

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/**
 * A template whose every value is escaped for text and for quoted attributes, unless it is markup of another template. Control
 * characters, which HTML has no way to write, become the replacement character. False and absent values are nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Child[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(markupOf)))
}

function markupOf(value: Child): string {
  if (value instanceof Html) return value.markup
  if (typeof value === 'string') return escaped(value)
  return value ? value.map(markupOf).join('') : ''
}

const escaped = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[&<>"']/g, char => ESCAPES[char] ?? '').replace(/[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]/g, '\uFFFD')
