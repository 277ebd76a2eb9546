import type { PauseReason } from './ledger.ts'

/**
 * Why an answer may take longer: complexity, or the number of that person's requests (GDPR Art. 12(3)). Mere effort is no
 * reason, nor is the everyday number of requests of others: only a surge that nobody could prepare for (EDPB Guidelines 01/2022
 * §162-164). Each with its term in the Data Privacy Vocabulary.
 */
export const EXTENSION_REASONS = {
  volume_of_data: 'ComplexityOfProcess',
  scattered_sources: 'ComplexityOfProcess',
  redaction_needed: 'ComplexityOfProcess',
  intelligibility_work: 'ComplexityOfProcess',
  many_requests_same_person: 'HighVolumeOfProcesses',
  exceptional_surge: 'HighVolumeOfProcesses',
} as const
export type ExtensionReason = keyof typeof EXTENSION_REASONS

/** What is waited for. The vocabulary has no term for waiting for a fee other than that there is a delay. */
export const PAUSE_REASONS = {
  clarification: 'InformationRequired',
  identity: 'IdentityVerificationRequired',
  fee: 'DelayJustification',
} as const satisfies Record<PauseReason, string>
