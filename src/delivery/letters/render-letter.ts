import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import { COMPOSERS } from './compose-letter.ts'
import type { Composed } from './composed.ts'
import type { LetterName, LetterValues } from './letters.ts'
import { type Catalogues, messagesFor, readCatalogues } from './messages.ts'
import { greetableName } from './plain-text.ts'

export type { LetterName, LetterValues } from './letters.ts'

export interface RenderedLetter {
  subject: string
  text: string
  html: string
}

export type RenderLetter = <Name extends LetterName>(name: Name, locale: string, values: LetterValues[Name]) => RenderedLetter

/** One of the two layouts that every letter has. Only what goes into HTML is escaped. */
function layout(file: 'letter.html.eta' | 'letter.text.eta', autoEscape: boolean): (data: object) => string {
  const eta = new Eta({ autoEscape })
  const template = eta.compile(readFileSync(new URL(`./${file}`, import.meta.url), 'utf8'))
  return data => eta.render(template, data)
}

const inHtml = layout('letter.html.eta', true)
const inText = layout('letter.text.eta', false)

/** A way to write letters in the languages given. */
export const letterWriter =
  (catalogues: Catalogues): RenderLetter =>
  (name, locale, values) => {
    const messages = messagesFor(catalogues, locale)
    const { reference, officer } = values
    const known = values.name === undefined ? undefined : greetableName(values.name)
    const letter: Composed = COMPOSERS[name](messages, values)
    const data = {
      ...letter,
      paragraphs: values.forAnother ? [messages.say('for-another'), ...letter.paragraphs] : letter.paragraphs,
      language: messages.language,
      greeting: known ? messages.say('greeting.named', { name: known }) : messages.say('greeting'),
      footer: [messages.say('reference', { reference }), messages.say('officer', { officer }), messages.say('automatic')],
    }
    return { subject: letter.subject, text: inText(data), html: inHtml(data) }
  }

/** Writes a letter in the reader's language, as text and as HTML. @throws when a message or a value is missing. */
export const renderLetter: RenderLetter = letterWriter(readCatalogues())
