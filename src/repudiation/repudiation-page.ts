import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import { LANGUAGES, messagesFor, readCatalogues } from '../delivery/letters/messages.ts'
import { PAGE_STYLE as style } from '../delivery/page-style.ts'
import { wantedLanguage } from '../delivery/wanted-language.ts'
import type { Right } from '../domain/rights.ts'
import type { RepudiationEffect } from './repudiate.ts'

/** What the page behind *this was not me* has to say just now. */
export interface RepudiationPage {
  locale: string
  reference: string
  right: Right
  /** For how long stronger proof is asked for afterwards. */
  days: number
  /** A code was typed that is not the one in the letter. */
  wrong: boolean
  /** What came of it, once it was said. */
  effect: RepudiationEffect | undefined
}

const eta = new Eta({ autoEscape: true })
const template = eta.compile(readFileSync(new URL('./repudiation-page.html.eta', import.meta.url), 'utf8'))
const catalogues = readCatalogues()

/** A page for a person, in their language: it works without scripts, loads nothing, and opening it changes nothing. */
export function repudiationPage(page: RepudiationPage): string {
  const { say, language } = messagesFor(catalogues, page.locale)
  const title = say(page.effect ? 'not-you.page.done' : 'not-you.page.title')
  return eta.render(template, { ...page, style, language, say, title, gone: false })
}

/** For whoever comes too late, in the language that their browser asks for. */
export function linkGonePage(acceptLanguage: string | undefined): string {
  const { say, language } = messagesFor(catalogues, wantedLanguage(acceptLanguage, LANGUAGES))
  return eta.render(template, { style, language, say, title: say('not-you.page.gone'), gone: true })
}
