import { type Html, html } from './html.ts'
import { type Page, table } from './page.ts'
import { remedies } from './page-article-fifteen.ts'

/** What was left out for the sake of others: the log, in words, with what can be done about it (Art. 12(4)). */
export function withheld(page: Page): Html {
  const { summary, messages } = page
  const { say, number } = messages
  if (summary.withheld.length === 0) return html`<p>${say('withheld.none')}</p>`
  const rows = summary.withheld.map(({ adapter, dataset, field, records, reason, article, says }) => {
    const service = summary.adapters.find(({ name }) => name === adapter)
    const described = service?.datasets.find(({ name }) => name === dataset)
    const column = described?.fields.find(({ name }) => name === field)
    return html`<tr><th scope="row"><bdi>${service?.title}</bdi>: <bdi>${described?.title}</bdi></th>
<td>${field === undefined ? say('withheld.all') : html`<bdi>${column?.title ?? field}</bdi>`}</td>
<td class="number">${number(records)}</td>
<td>${say(`withheld.${reason}`)} (${say('withheld.article', { article })})<br>${says}</td></tr>
`
  })
  return html`<p>${say('withheld.intro')}</p>
${table(say('section.withheld'), [say('dataset'), say('field'), say('count'), say('why')], rows)}
${remedies(page)}`
}
