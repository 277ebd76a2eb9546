export interface Tag {
  name: string
  attributes: Map<string, string>
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const decoded = (text: string) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ENTITIES[name] ?? '')

/**
 * The start tags of a document as a browser's tokenizer finds them (WHATWG HTML 13.2.5), for the plain dialect that we write: double
 * quoted attributes only. Throws on anything that a browser might read in another way: a stray `<`, a comment, another kind of quote.
 */
export function tagsOf(document: string): Tag[] {
  const tags: Tag[] = []
  const token = /<!DOCTYPE html>|<\/[a-z0-9]+>|<style>[^<]*<\/style>|<([a-z0-9]+)((?: [a-z-]+="[^"]*")*)>|[^<]+/y
  while (token.lastIndex < document.length) {
    const at = token.lastIndex
    const found = token.exec(document)
    if (!found) throw new Error(`neither text nor a tag of ours: ${document.slice(at, at + 60)}`)
    const [, name, attributes = ''] = found
    if (name === undefined) continue
    const pairs = [...attributes.matchAll(/ ([a-z-]+)="([^"]*)"/g)].map(
      ([, key = '', value = '']) => [key, decoded(value)] as const,
    )
    tags.push({ name, attributes: new Map(pairs) })
  }
  return tags
}
