/**
 * Whether an object in a JSON text names a key twice: readers differ in which one they believe (RFC 8259, 4), so such
 * a text can say one thing to whoever signed it and another to us. Expects valid JSON.
 */
export function repeatsKey(json: string): boolean {
  const open: Set<string>[] = []
  let last = ''
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}:]/gs)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (token !== ':') last = token
    else {
      const keys = open.at(-1)
      const key: string = JSON.parse(last)
      if (keys?.has(key)) return true
      keys?.add(key)
    }
  }
  return false
}
