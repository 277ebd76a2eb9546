/** Who did something, as the record names them: never a person's name or address, always an identifier somebody else can resolve. */
export interface Actor {
  kind: 'data_subject' | 'service' | 'support_agent' | 'adapter' | 'system'
  /** Issuer-scoped identifier of the caller, the adapter's name, or the part of this service that acted. */
  id: string
}

/** This service acting by itself, in the named role. */
export const system = (id: string): Actor => ({ kind: 'system', id })
