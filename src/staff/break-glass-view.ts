import { type Static, Type } from 'typebox'
import type { Caller } from '../auth/caller.ts'
import { BREAK_GLASS_REASONS, CONTENTS } from '../domain/break-glass.ts'
import type { Vault } from '../platform/vault.ts'
import { isOfficer } from '../requests/contents.ts'
import { Instant } from '../requests/request-view.ts'
import type { SealedGlass } from './break-glass.store.ts'
import { glassContext } from './break-glass.ts'

const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) => Type.Union([schema, Type.Null()])

export const GLASS = {
  ...{ n: 1, reason: 'faulty_answer', text: 'The copy lacks the grades, they say.', what: ['package'], role: 'privacy_officer' },
  ...{ openedBy: 'https://staff.example|officer-1', openedAt: '2026-11-20T09:12:00.000Z' },
  ...{ approvedBy: null, approvedAt: null, expiresAt: null },
} as const

export const GlassView = Type.Object(
  {
    n: Type.Integer(),
    reason: Type.Enum([...BREAK_GLASS_REASONS]),
    text: Nullable(Type.String({ description: 'Why, in words; for officers and whoever asked.' })),
    what: Type.Array(Type.Enum([...CONTENTS])),
    role: Type.String(),
    openedBy: Type.String(),
    openedAt: Instant,
    approvedBy: Nullable(Type.String()),
    approvedAt: Nullable(Instant),
    expiresAt: Nullable(Instant),
  },
  { title: 'BreakGlass', description: 'Contents opened to one of the staff, or that they asked for it.', examples: [GLASS] },
)

export function viewGlass(
  { vault }: { vault: Pick<Vault, 'open'> },
  requestId: string,
  { textSealed, openedAt, approvedAt, expiresAt, ...glass }: SealedGlass,
  caller: Caller,
): Static<typeof GlassView> {
  const theirs = isOfficer(caller) || caller.id === glass.openedBy
  return {
    ...glass,
    text: textSealed && theirs ? vault.open(textSealed, glassContext(requestId, glass.n)).toString('utf8') : null,
    openedAt: openedAt.toISOString(),
    approvedAt: approvedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  }
}
