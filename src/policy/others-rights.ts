import type { Withheld } from '../domain/withheld.ts'
import type { Policy } from './policy.ts'

type Rule = Policy['othersRights']['rules'][number]
type By = Pick<Withheld, 'rule' | 'reason' | 'says'>

/** What of a dataset's manifest says that it speaks of others. */
export interface MarkedDataset {
  name: string
  category: string
  fields: readonly { name: string; thirdParty?: boolean; freeText?: boolean }[]
}

/** What is kept of a dataset so that the rights of others are: all of it, or some of its fields. */
export interface Protection {
  whole?: By
  fields: ReadonlyMap<string, By>
}

/**
 * What the policy withholds of a dataset (Art. 15(4), 20(4)); undefined where that is nothing. A dataset that is withheld is, whatever
 * else is said of it; of several rules that concern a field the first is meant. A field about somebody else that no rule speaks of is redacted, free text that none speaks of is delivered.
 */
export function protectionOf({ othersRights }: Policy, adapter: string, dataset: MarkedDataset): Protection | undefined {
  const rules = othersRights.rules.filter(rule => concerns(rule, adapter, dataset))
  const whole = rules.find(rule => rule.do === 'withhold')
  if (whole) return { whole: byOf(whole), fields: new Map() }
  const fields = dataset.fields.flatMap(({ name, thirdParty, freeText }) => {
    const marks = [...(thirdParty ? ['third_party'] : []), ...(freeText ? ['free_text'] : [])]
    const rule = rules.find(one => marks.includes(one.fields ?? 'third_party'))
    if (rule) return rule.do === 'redact' ? [[name, byOf(rule)] as const] : []
    return thirdParty ? [[name, byOf(othersRights.otherwise)] as const] : []
  })
  return fields.length > 0 ? { fields: new Map(fields) } : undefined
}

const concerns = (rule: Rule, adapter: string, { name, category }: MarkedDataset): boolean =>
  (rule.adapter ?? adapter) === adapter && (rule.dataset ?? name) === name && (rule.category ?? category) === category

const byOf = ({ name, reason = 'rights_of_others', says }: Pick<Rule, 'name' | 'reason' | 'says'>): By => ({
  rule: name,
  reason,
  says,
})
