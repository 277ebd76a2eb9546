import type { Mail } from '../../src/demo/mail.ts'

/** The means to say *this was not me* in a letter: the path of its link, and the code beside it. @throws when there are none */
export function notYouIn({ text }: Pick<Mail, 'text'>): { path: string; code: string } {
  const [, path] = /https?:\/\/[^/\s]+(\/v1\/repudiations\/[A-Za-z0-9_-]{43})/.exec(text) ?? []
  const [code] = /\b[0-9A-HJKMNP-TV-Z]{4} [0-9A-HJKMNP-TV-Z]{4}\b/.exec(text) ?? []
  if (!path || !code) throw new Error('This letter has no way to say that it was not oneself.')
  return { path, code }
}
