import type { RequestSeen } from './await-request.ts'

/** Says how whole the answer is, and what was left out of it for the sake of others. */
export function tellHandedOver(completeness: RequestSeen['completeness'], tell: (line: string) => void): void {
  const { adaptersAsked, adaptersAnswered, complete, withheld = [] } = completeness ?? {}
  tell(`sealed and handed over: ${adaptersAnswered} of ${adaptersAsked} adapters answered, complete: ${complete}`)
  for (const { adapter, dataset, field, records } of withheld)
    tell(`left out for the sake of others: ${[adapter, dataset, field].join('.')} in ${records} records`)
}
