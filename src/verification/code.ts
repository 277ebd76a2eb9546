import { randomBytes } from 'node:crypto'

/** Crockford's alphabet: no I, L, O or U, so that nobody mistypes what they read. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * A code to be typed: 40 random bits as 8 characters, `XXXX-XXXX`. Six digits would do against one account under attack;
 * over a million of them, five tries each, they would be guessed fifteen times.
 */
export function newCode(): string {
  const characters = [...randomBytes(8)].map(byte => ALPHABET[byte % 32])
  return `${characters.slice(0, 4).join('')}-${characters.slice(4).join('')}`
}

/** What was meant by what was typed: case, spaces and hyphens do not matter, nor O for 0, nor I or L for 1. */
export function normaliseCode(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
}

/** Whether normalised text has the form of a code. */
export const isCode = (normalised: string): boolean =>
  normalised.length === 8 && [...normalised].every(one => ALPHABET.includes(one))
