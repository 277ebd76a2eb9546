/** Terms of the W3C Data Privacy Vocabulary 2.3, extension `justifications`, by the class they stand under; copied from its CSV files. */
export const DELAY = [
  'https://w3id.org/dpv/justifications#ComplexityOfProcess',
  'https://w3id.org/dpv/justifications#DelayJustification',
  'https://w3id.org/dpv/justifications#HighVolumeOfProcesses',
  'https://w3id.org/dpv/justifications#IdentityVerificationRequired',
  'https://w3id.org/dpv/justifications#InformationRequired',
]

export const NON_FULFILMENT = [
  'https://w3id.org/dpv/justifications#FreedomOfExpressionImpaired',
  'https://w3id.org/dpv/justifications#IdentityVerificationFailure',
  'https://w3id.org/dpv/justifications#LegalClaimImpaired',
  'https://w3id.org/dpv/justifications#LegallyExempted',
  'https://w3id.org/dpv/justifications#LegalObligationImpaired',
  'https://w3id.org/dpv/justifications#LegitimateInterestOverride',
  'https://w3id.org/dpv/justifications#ProcessExcessive',
  'https://w3id.org/dpv/justifications#ProcessRejected',
  'https://w3id.org/dpv/justifications#ProcessUnfounded',
  'https://w3id.org/dpv/justifications#PublicHealthCompromised',
  'https://w3id.org/dpv/justifications#PublicInterestArchivingImpaired',
  'https://w3id.org/dpv/justifications#ThirdPartyRightsImpaired',
]
