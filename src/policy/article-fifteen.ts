import type { Category, Policy } from './policy.ts'

/** The information that goes with the data, for one category of them (Art. 15(1)(a) to (d) and (g), 15(2)). */
export interface CategoryInformation {
  category: Category
  title: string
  description: string
  purposes: { purpose: string; legalBases: { title: string; article: string }[] }[]
  recipients: { name: string; kind: string; country: string; safeguard?: string }[]
  retention: { title: string; from: string; period: string; statute?: string }
  source: string
}

/** Art. 15 as fields: everything but the data themselves and what is withheld of them. */
export interface ArticleFifteen {
  policyVersion: string
  controller: Policy['controller']
  categories: CategoryInformation[]
  rights: { article: string; title: string }[]
  complaint: { authority: string; url: string }
  automatedDecisions: { exist: boolean; statement: string }
}

/** Art. 15(1)(e), and the rights beside it that the policy grants (8.1). */
const RIGHTS_TO_TELL = [
  { article: '16', title: 'Rectification: have inaccurate data corrected' },
  { article: '17', title: 'Erasure: have your data deleted' },
  { article: '18', title: 'Restriction: have the processing of your data limited' },
  { article: '20', title: 'Portability: receive your data in a portable format' },
  { article: '21', title: 'Objection: object to processing based on legitimate interests' },
  { article: '7(3)', title: 'Withdraw consent, as easily as you gave it' },
]

/**
 * The Art. 15 information for the categories in which something is held of this person. Recipients are named, never only described
 * (C-154/21): those that the policy lists for the category and those that the manifests name, each with country and safeguard.
 * @throws Error for a category or recipient that the policy does not know; `checkManifest` keeps them out.
 */
export function articleFifteen(
  policy: Policy,
  categories: readonly string[],
  recipientsByCategory: Readonly<Record<string, readonly string[]>> = {},
): ArticleFifteen {
  return {
    policyVersion: policy.version,
    controller: policy.controller,
    categories: [...new Set(categories)].map(id => categoryInformation(policy, id, recipientsByCategory[id] ?? [])),
    rights: RIGHTS_TO_TELL,
    complaint: { authority: policy.supervisoryAuthority.name, url: policy.supervisoryAuthority.url },
    automatedDecisions: policy.automatedDecisions,
  }
}

function categoryInformation(policy: Policy, id: string, named: readonly string[]): CategoryInformation {
  if (!isCategory(policy, id)) throw new Error(`The privacy policy knows no category '${id}'.`)
  const { title, description, source, purposes, retention } = policy.categories[id]
  const stranger = named.find(name => !policy.recipients.some(recipient => recipient.name === name))
  if (stranger !== undefined) throw new Error(`The privacy policy knows no recipient '${stranger}'.`)
  return {
    category: id,
    title,
    description,
    purposes: Object.entries(purposes).map(([purpose, bases]) => ({
      purpose: policy.purposes[purpose as keyof typeof purposes],
      legalBases: bases.map(basis => policy.legalBases[basis]),
    })),
    recipients: policy.recipients
      .filter(({ name, receives }) => receives.includes(id) || named.includes(name))
      .map(({ name, kind, country, safeguard }) => ({
        name,
        kind,
        country,
        ...(safeguard && { safeguard: policy.safeguards[safeguard] }),
      })),
    retention: policy.retention[retention],
    source: policy.sources[source],
  }
}

const isCategory = (policy: Policy, id: string): id is Category => Object.hasOwn(policy.categories, id)
