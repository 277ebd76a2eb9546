import type { Shortfall } from './completeness.ts'
import { type Html, html } from './html.ts'
import type { Messages } from './messages.ts'
import { type Page, table } from './page.ts'
import { forwarded } from './page-forwarded.ts'
import type { AdapterSummary, DatasetSummary } from './summary.ts'

/** A page with a link to each of a million attachments helps nobody; the folder and datapackage.json have them all. */
const MOST_LINKS = 500
/** More links than these are folded away. */
const OPEN_LINKS = 5

/** Each adapter's datasets: what they are, what became of them, and the files to open. */
export const data = (page: Page): Html[] =>
  page.summary.adapters.map(
    adapter => html`<h3><bdi>${adapter.title}</bdi></h3>
${adapter.datasets.length > 0 ? datasetTable(adapter, page) : html`<p>${page.messages.say(`status.${adapter.status}`)}</p>`}
`,
  )

function datasetTable(
  { name: adapter, title, datasets }: AdapterSummary,
  { policy, messages, summary: { completeness } }: Page,
): Html {
  const { say, number } = messages
  const categories: Record<string, { title: string }> = policy.categories
  const isRedacted = (dataset: string) =>
    completeness.missing.some(one => one.adapter === adapter && one.dataset === dataset && one.why === 'redacted')
  const rows = datasets.map(
    dataset => html`<tr><th scope="row"><bdi>${dataset.title}</bdi></th>
<td>${categories[dataset.category]?.title}</td>
<td>${say(`origin.${dataset.origin}`)}</td>
<td>${say(`outcome.${isRedacted(dataset.name) ? 'redacted' : dataset.outcome}`)}${dataset.containsThirdParties && html`<br>${say('thirdParties')}`}</td>
<td class="number">${number(dataset.count)}</td>
<td>${dataset.files.length > 0 && files(dataset, messages)}</td></tr>
`,
  )
  return table(title, [say('dataset'), say('category'), say('origin'), say('outcome'), say('count'), say('files')], rows)
}

function files({ title, files: all }: DatasetSummary, { say, size }: Messages): Html {
  const links = all.slice(0, MOST_LINKS).map(({ path, bytes, originalName }) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    return html`<li><a href="${path}">${originalName ? html`<bdi>${originalName}</bdi> (${name})` : name}</a>, ${size(bytes)}</li>`
  })
  const more = all.length - links.length
  const list = html`<ul aria-label="${title}">${links}${more > 0 && html`<li>${say('files.more', { count: more })}</li>`}</ul>`
  return all.length <= OPEN_LINKS
    ? list
    : html`<details><summary>${say('files.many', { count: all.length })}</summary>${list}</details>`
}

/** Everything that is not there, by name and with the reason; said also when there is nothing to say. */
export function missing(page: Page): Html {
  const { completeness, adapters } = page.summary
  const { say } = page.messages
  if (completeness.missing.length === 0) return html`<p>${say(completeness.complete ? 'missing.none' : 'missing.nobody')}</p>`
  const byName = new Map(adapters.map(adapter => [adapter.name, adapter]))
  const rows = completeness.missing.map(shortfall => {
    const adapter = byName.get(shortfall.adapter)
    const dataset = adapter?.datasets.find(({ name }) => name === shortfall.dataset)
    return html`<tr><th scope="row"><bdi>${adapter?.title}</bdi>${dataset && html`: <bdi>${dataset.title}</bdi>`}</th>
<td>${why(shortfall, say)}</td></tr>
`
  })
  return html`${table(say('section.missing'), [say('what'), say('why')], rows)}${forwarded(page)}`
}

function why(shortfall: Shortfall, say: Messages['say']): Html {
  if (shortfall.dataset === undefined) return html`${say(`status.${shortfall.why}`)}`
  const { count, located = 0, reason, statute, until } = shortfall
  return html`${say(`outcome.${shortfall.why}`, { count, located })}
${reason && html`<br>${shortfall.why === 'forwarded' ? reason : say('reason', { reason: article(reason) })}`}
${statute && html`<br>${say('statute', { statute })}`}
${until && html`<br>${say('until', { until })}`}`
}

/** `17_3_b` is how the protocol writes Art. 17(3)(b); any other reason is in words already. */
const article = (reason: string): string =>
  /^\d+(_\w)+$/.test(reason) ? `Art. ${reason.replace(/_(\w)/g, '($1)')} GDPR` : reason

/** What each column of each table is. */
export function dictionary({ summary: { adapters }, messages: { say } }: Page): Html[] {
  const described = adapters.flatMap(adapter =>
    adapter.datasets
      .filter(({ fields, files }) => fields.length > 0 && files.length > 0)
      .map(({ title, fields }) => ({ caption: `${adapter.title}: ${title}`, fields })),
  )
  if (described.length === 0) return [html`<p>${say('dictionary.none')}</p>`]
  const head = [say('field'), say('meaning'), say('type')]
  const tables = described.map(({ caption, fields }) =>
    table(
      caption,
      head,
      fields.map(
        ({
          name,
          title,
          type,
        }) => html`<tr><th scope="row"><code>${name}</code></th><td><bdi>${title}</bdi></td><td>${type}</td></tr>
`,
      ),
    ),
  )
  return [html`<p>${say('dictionary.notes')}</p>`, ...tables]
}
