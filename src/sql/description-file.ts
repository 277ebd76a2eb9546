import { parse, stringify } from 'yaml'

/** A description as people write it: YAML (anchors and merge keys of it are of use), or JSON, which is YAML. */
export const parseDescription = (text: string): unknown => parse(text, { merge: true })

export const writeDescription = (description: unknown): string =>
  stringify(description, { lineWidth: 130, aliasDuplicateObjects: false })
