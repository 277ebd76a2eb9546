import type { Quote } from './composed.ts'
import { plainParagraphs } from './plain-text.ts'

/** What somebody of the staff wrote. @throws for what says nothing: a decision without its reasons is not sent */
export function quoted(text: string): Quote {
  const quote = plainParagraphs(text)
  if (quote.length === 0) throw new Error('There is nothing written.')
  return { quote }
}
