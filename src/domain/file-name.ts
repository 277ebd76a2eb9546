const PLAIN = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._()+,'&-]*$/u
const LONGEST = 120

/**
 * The name of a file as it came in a header, percent-encoded UTF-8 (RFC 3986), in its one spelling (NFC). Letters, digits and a
 * few signs: nothing that is a path, turns the direction of reading, hides the extension or means something to a shell. Undefined for any other.
 */
export function parseFileName(encoded: string): string | undefined {
  const name = decoded(encoded)?.normalize('NFC')
  return name !== undefined && [...name].length <= LONGEST && PLAIN.test(name) && !/[. ]$/.test(name) ? name : undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** What makes a browser store a file under this name and never show it (RFC 6266, with the encoding of RFC 8187). */
export const asDownload = (name: string): string =>
  `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}`
