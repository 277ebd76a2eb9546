/** The strong entity tag (RFC 9110, 8.8.3) of a thing that counts its changes. */
export const etagOf = (version: number): string => `"v${version}"`

/** Whether an If-Match header (RFC 9110, 13.1.1) names this version: `*`, or one of the tags listed. Weak tags never match. */
export const matchesVersion = (ifMatch: string, version: number): boolean =>
  ifMatch.trim() === '*' || ifMatch.split(',').some(tag => tag.trim() === etagOf(version))
