/**
 * Text that stays on its line and reads in the order it is written: control characters and line breaks become spaces,
 * and what is invisible or turns the direction of reading (U+202E) goes.
 */
export const plainText = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/ +/g, ' ')
    .trim()

/** Text of several paragraphs, each plain: an empty line ends one, a single break is a space. */
export const plainParagraphs = (text: string): string[] =>
  text
    .split(/(?:\r\n|[\r\n\u2028\u2029]){2,}/)
    .map(plainText)
    .filter(Boolean)

/**
 * A name to greet somebody by, or undefined for what is hardly one. Whoever opens a request chooses the name in it, and mail
 * programs make links of bare addresses: we are not to carry a stranger's message to the person's mailbox.
 */
export function greetableName(name: string): string | undefined {
  const plain = plainText(name)
  const hardly = plain.length > 80 || /[^\p{L}\p{M} .'’-]/u.test(plain) || /\.\p{L}{2}/u.test(plain)
  return plain && !hardly ? plain : undefined
}
