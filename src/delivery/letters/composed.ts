import type { LetterName, LetterValues } from './letters.ts'
import type { Messages } from './messages.ts'

/** What a letter says, in its order, before it is laid out. */
export interface Composed {
  subject: string
  paragraphs: (string | Code | Link | List | Quote)[]
}

interface Code {
  code: string
}

/** To a page of this service: nothing else is ever made clickable. */
interface Link {
  link: string
  label: string
}

interface List {
  items: Item[]
}

/** With the language it is in, and a note that says so, where that is not the language of the letter. */
export type Item = string | { text: string; language: string; note: string }

/** What a person of the staff wrote, as they wrote it, a paragraph each. */
export interface Quote {
  quote: string[]
}

/** For each letter the function that words it. */
export type Composers = { [Name in LetterName]: (messages: Messages, values: LetterValues[Name]) => Composed }
