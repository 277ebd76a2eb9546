import type { Actor } from '../domain/actor.ts'

export const ROLES = ['agent', 'privacy_officer', 'dpo', 'operator'] as const
export type Role = (typeof ROLES)[number]

/** A way to reach the person that their identity provider has verified. */
export interface ContactPoint {
  type: 'email'
  value: string
}

/** Another service of the house. `id` is `<issuer>|<client>`. */
export interface ServiceCaller {
  kind: 'service'
  id: string
  scopes: ReadonlySet<string>
}

/** Our staff, acting for a user. `id` is `<issuer>|<subject>`. */
export interface SupportAgentCaller {
  kind: 'support_agent'
  id: string
  subject: string
  roles: ReadonlySet<Role>
}

/** The person themself, through the portal. `id` is `<issuer>|<subject>`, or a pseudonym for it; `subject` is their user id. */
export interface PortalCaller {
  kind: 'portal'
  id: string
  subject: string
  contactPoints: readonly ContactPoint[]
  /** When, how strongly and by what means they logged in (OpenID Connect `auth_time`, `acr`, `amr`), as far as the token says. */
  authTime?: Date
  acr?: string
  amr?: readonly string[]
}

/** A person who cannot log in, or nobody in particular. */
export interface AnonymousCaller {
  kind: 'anonymous'
  id: 'anonymous'
}

/** Who is calling, as established by their token alone. */
export type Caller = ServiceCaller | SupportAgentCaller | PortalCaller | AnonymousCaller

export const ANONYMOUS: AnonymousCaller = Object.freeze({ kind: 'anonymous', id: 'anonymous' })

/** The caller as the record names them. Whoever comes without a token comes as the person the request is about. */
export function toActor(caller: Caller): Actor {
  const kind = caller.kind === 'portal' || caller.kind === 'anonymous' ? 'data_subject' : caller.kind
  return { kind, id: caller.id }
}
