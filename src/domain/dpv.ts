/** The address that names a term of the W3C Data Privacy Vocabulary 2.3, extension `justifications`, for good. */
export const dpvIri = (term: string): string => `https://w3id.org/dpv/justifications#${term}`
