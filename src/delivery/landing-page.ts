import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import { LANGUAGES, messagesFor, readCatalogues } from './letters/messages.ts'
import { PAGE_STYLE as style } from './page-style.ts'
import { wantedLanguage } from './wanted-language.ts'

/** What the page behind a link has to say just now, and to whom. */
export interface Landing {
  locale: string
  timeZone: string
  reference: string
  bytes: number
  sha256: string
  expiresAt: Date
  usesLeft: number
  /** A code was asked for just now. */
  sent: boolean
  /** No more codes for now: the mailbox has had its share of this hour. */
  enough: boolean
  /** A code was asked for without the word that takes a person to type. */
  asked: boolean
  /** A code was typed that is not accepted. */
  wrong: boolean
}

const eta = new Eta({ autoEscape: true })
const template = eta.compile(readFileSync(new URL('./landing-page.html.eta', import.meta.url), 'utf8'))
const catalogues = readCatalogues()

/** A page for a person, in their language: it works without scripts, loads nothing, and opening it changes nothing. */
export function landingPage(landing: Landing): string {
  const { say, count, instant, size, language } = messagesFor(catalogues, landing.locale)
  const { usesLeft: uses, expiresAt, timeZone, bytes } = landing
  return eta.render(template, {
    ...landing,
    style,
    language,
    say,
    gone: false,
    size: size(bytes),
    uses: count('download.uses', uses, { uses, expiresAt: instant(expiresAt.toISOString(), timeZone) }),
  })
}

/** For whoever comes too late, in the language that their browser asks for: whose link it was is not said. */
export function gonePage(acceptLanguage: string | undefined): string {
  const { say, language } = messagesFor(catalogues, wantedLanguage(acceptLanguage, LANGUAGES))
  return eta.render(template, { style, language, say, gone: true, wrong: false, asked: false })
}
