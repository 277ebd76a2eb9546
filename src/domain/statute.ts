/**
 * What the name of a law looks like: one line of letters, short numbers and a few marks. It is an adapter's word, stored unsealed, told
 * to the person and shown to staff: so there is no room in it for an address, a link, a telephone number or a story. A regular
 * expression for JSON Schema, with the flag `u`.
 */
export const STATUTE =
  "^(?=.*\\p{L})(?!.*//)(?!.*\\d{7})(?!.*\\d{2,} \\d{2,} \\d{2,})[\\p{L}\\p{M}\\d§][\\p{L}\\p{M}\\d .,;:()§&/'’–-]{0,149}$"
