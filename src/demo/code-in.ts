/** Letters with a code have it in this form. */
export const HAS_CODE = /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/

/** The code in a letter. */
export const codeIn = (text: string): string => HAS_CODE.exec(text)?.[0] ?? ''
