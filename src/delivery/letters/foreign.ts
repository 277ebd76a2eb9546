import type { Item } from './composed.ts'
import type { Words } from './letters.ts'
import type { Messages } from './messages.ts'
import { plainText } from './plain-text.ts'

/** For a list: marked, and said to be so, where the words are in another language than the letter. */
export const itemOf = ({ language, languageName }: Messages, words: Words): Item =>
  words.language === undefined || words.language === language
    ? plainText(words.text)
    : { text: plainText(words.text), language: words.language, note: `(${languageName(words.language)})` }
