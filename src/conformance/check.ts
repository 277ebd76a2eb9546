import type { Manifest } from '../adapters/protocol.ts'
import type { Probe } from './probe.ts'
import type { Wire } from './wire.ts'

/** What was seen, in a few words; or why there was nothing to see, at this adapter. */
export type Finding = string | { notApplicable: string }

interface Described {
  /** Stable, for programs. */
  id: string
  /** What is true of an adapter that passes, as a sentence. */
  title: string
  /** Where it is written: a place in openapi/adapter.yaml, an article, an RFC. */
  reference: string
}

/** Looks at calls as they travel; needs no manifest. */
export interface WireCheck extends Described {
  run(wire: Wire): Promise<Finding>
}

/** Looks at what an adapter says and does. */
export interface Check extends Described {
  needs?: {
    /** Only of adapters that speak our protocol over HTTP. */
    wire?: true
    /** Only of adapters that say they do this. */
    action?: Manifest['actions'][number]
    /** Identities of one person with data there, or of two. */
    person?: 'known' | 'both'
    /** Changes what is held of the known person. */
    destructive?: true
  }
  /** @throws Objection */
  run(probe: Probe): Promise<Finding>
}
