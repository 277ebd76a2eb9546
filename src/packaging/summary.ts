import { type PackagedRight, RIGHTS } from '../domain/rights.ts'
import { OTHERS_ARTICLE, type Withheld } from '../domain/withheld.ts'
import { type ArticleFifteen, articleFifteen } from '../policy/article-fifteen.ts'
import { type Completeness, completenessOf, isAnswered } from './completeness.ts'
import type { Messages } from './messages.ts'
import type { AdapterStatus, DatasetAnswer, Forwarded, PackageInput } from './package-input.ts'
import type { Placement } from './place-parts.ts'

/** `data/summary.json`: what was asked, what was found, what is missing and why, and the information that goes with the data. */
export interface Summary {
  request: { id: string; right: PackagedRight; article: string; receivedAt: string; assembledAt: string }
  completeness: Completeness
  adapters: AdapterSummary[]
  /** What was left out for the sake of others, and by which rule: no values. */
  withheld: (Withheld & { adapter: string; article: string })[]
  /** What other controllers answer, and by when. */
  forwarded: readonly Forwarded[]
  /** Art. 15(1)(a) to (h), 15(2) for every category of which something is, or may be, held. */
  information: ArticleFifteen
}

export interface AdapterSummary {
  name: string
  title: string
  status: AdapterStatus
  answered: boolean
  /** The data are as they stood then. */
  asOf?: string
  datasets: DatasetSummary[]
}

export type DatasetSummary = Omit<DatasetAnswer, 'withheld'> & {
  files: { path: string; bytes: number; mediaType: string; originalName?: string }[]
}

/** Everything the package says in words, as data; `index.html` is a rendering of this. */
export function summarise(input: PackageInput, placement: Placement, messages: Messages): Summary {
  const { requestId, right, receivedAt, assembledAt, adapters, policy } = input
  return {
    request: {
      id: requestId,
      right,
      article: RIGHTS[right].article,
      receivedAt: receivedAt.toISOString(),
      assembledAt: assembledAt.toISOString(),
    },
    completeness: completenessOf(adapters, messages),
    adapters: adapters.map(({ name, title = name, status, answeredAt, datasets }) => ({
      name,
      title,
      status,
      answered: isAnswered(status),
      ...(answeredAt && { asOf: answeredAt.toISOString() }),
      datasets: datasets.map(({ withheld: _told, ...dataset }) => ({
        ...dataset,
        files: filesOf(placement, name, dataset.name),
      })),
    })),
    withheld: adapters.flatMap(({ name, datasets }) =>
      datasets.flatMap(({ withheld = [] }) => withheld.map(line => ({ adapter: name, ...line, article: OTHERS_ARTICLE[right] }))),
    ),
    forwarded: input.forwardings,
    information: informationFor(
      policy,
      adapters.flatMap(({ datasets }) => datasets),
    ),
  }
}

const filesOf = (placement: Placement, adapter: string, dataset: string): DatasetSummary['files'] =>
  placement.of(adapter, dataset).map(({ part, path, mediaType }) => ({
    path,
    bytes: part.bytes,
    mediaType,
    ...(part.kind === 'file' && part.originalName !== undefined && { originalName: part.originalName }),
  }))

/** Where collecting failed we cannot tell whether anything is held, and so explain the category all the same. */
function informationFor(policy: PackageInput['policy'], datasets: readonly DatasetAnswer[]): ArticleFifteen {
  const held = datasets.filter(({ outcome, count }) => outcome !== 'no_data' && (outcome !== 'completed' || count > 0))
  const byCategory = Object.groupBy(held, ({ category }) => category)
  const recipients = Object.entries(byCategory).map(([category, those]) => [category, those?.flatMap(d => d.recipients) ?? []])
  return articleFifteen(policy, Object.keys(byCategory), Object.fromEntries(recipients))
}
