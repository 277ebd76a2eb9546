const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]

/**
 * How deep the objects and arrays of a JSON text lie in each other. Found in one pass and without parsing, so that
 * nothing deep is ever built; of a text that is no JSON it says something or other.
 */
export function nestingOf(json: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i)
    if (inText && char === BACKSLASH) i++
    else if (char === QUOTE) inText = !inText
    else if (inText) continue
    else if (char === CLOSE_ARRAY || char === CLOSE_OBJECT) depth--
    else if ((char === OPEN_ARRAY || char === OPEN_OBJECT) && ++depth > deepest) deepest = depth
  }
  return deepest
}
