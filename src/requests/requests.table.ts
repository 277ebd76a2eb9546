import { EntitySchema } from 'typeorm'
import type { DsarRequest } from '../domain/request.ts'

/** A request as stored: the case, and what identifies it to people only through keys. */
export interface RequestRow extends DsarRequest {
  referenceSealed: Buffer | null
  referenceIndex: Buffer | null
  nameSealed: Buffer | null
  detailsSealed: Buffer | null
}

export const RequestTable = new EntitySchema<RequestRow>({
  name: 'dsar_request',
  columns: {
    id: { type: 'uuid', primary: true },
    right: { type: 'text' },
    state: { type: 'text' },
    flags: { type: 'text', array: true },
    version: { type: 'int' },
    receivedAt: { type: 'timestamptz', name: 'received_at' },
    createdAt: { type: 'timestamptz', name: 'created_at' },
    dueOn: { type: 'date', name: 'due_on' },
    legalDueOn: { type: 'date', name: 'legal_due_on' },
    country: { type: 'text', nullable: true },
    region: { type: 'text', nullable: true },
    locale: { type: 'text' },
    timeZone: { type: 'text', name: 'time_zone' },
    channel: { type: 'text' },
    referenceSealed: { type: 'bytea', name: 'reference_sealed', nullable: true, select: false },
    referenceIndex: { type: 'bytea', name: 'reference_index', nullable: true, select: false },
    relationship: { type: 'text' },
    openedByKind: { type: 'text', name: 'opened_by_kind' },
    openedBy: { type: 'text', name: 'opened_by' },
    scope: { type: 'jsonb' },
    assuranceNeeded: { type: 'int', name: 'assurance_needed' },
    assuranceUnfrozen: { type: 'int', name: 'assurance_unfrozen', nullable: true },
    assurance: { type: 'int' },
    policyVersion: { type: 'text', name: 'policy_version' },
    nameSealed: { type: 'bytea', name: 'name_sealed', nullable: true, select: false },
    completeness: { type: 'jsonb', nullable: true },
    detailsSealed: { type: 'bytea', name: 'details_sealed', nullable: true, select: false },
    coolsOffAt: { type: 'timestamptz', name: 'cools_off_at', nullable: true },
    parentId: { type: 'uuid', name: 'parent_id', nullable: true },
    closedAt: { type: 'timestamptz', name: 'closed_at', nullable: true },
  },
})
