/** @throws for what is no address of a web page: nothing else is ever made clickable */
export function webAddress(link: string): string {
  const { protocol, username, href } = new URL(link)
  if (!/^https?:$/.test(protocol) || username) throw new Error('A letter links to a web page only.')
  return href
}
