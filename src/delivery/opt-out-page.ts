import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import { messagesFor, readCatalogues } from './letters/messages.ts'
import { PAGE_STYLE } from './page-style.ts'

const eta = new Eta({ autoEscape: true })
const template = eta.compile(readFileSync(new URL('./opt-out-page.html.eta', import.meta.url), 'utf8'))
const catalogues = readCatalogues()

/** The page behind the link of an advertisement: it asks before, and says so after. Opening it changes nothing. */
export function optOutPage({ locale, done }: { locale: string; done: boolean }): string {
  const { say, language } = messagesFor(catalogues, locale)
  return eta.render(template, { language, say, done, style: PAGE_STYLE })
}
