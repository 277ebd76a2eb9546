/** Letters with a code have it in this form; a request's id has not, even where it is all digits. */
export const HAS_CODE = /(?<![-\w])[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}(?![-\w])/

/** The code in a letter. */
export const codeIn = (text: string): string => HAS_CODE.exec(text)?.[0] ?? ''
