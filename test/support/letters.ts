import type { Mail } from '../../src/demo/mail.ts'

/** The code in a letter. @throws when there is none */
export function codeIn({ text }: Mail): string {
  const [code] = /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/.exec(text) ?? []
  if (!code) throw new Error('There is no code in this letter.')
  return code
}

/** The path of the download link in a letter. @throws when there is none */
export function linkIn({ text }: Pick<Mail, 'text'>): string {
  const [, path] = /https?:\/\/[^/\s]+(\/v1\/downloads\/[A-Za-z0-9_-]{43})/.exec(text) ?? []
  if (!path) throw new Error('There is no link in this letter.')
  return path
}
