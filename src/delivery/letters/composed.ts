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
  items: string[]
}

/** What a person of the staff wrote, as they wrote it, a paragraph each. */
export interface Quote {
  quote: string[]
}

/** For each letter the function that words it. */
export type Composers = { [Name in LetterName]: (messages: Messages, values: LetterValues[Name]) => Composed }
