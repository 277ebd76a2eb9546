import { authorityFor } from '../policy/texts.ts'
import { type Html, html } from './html.ts'
import { type Page, table } from './page.ts'

/** Art. 15(1)(a) to (d), (g) and (h), 15(2): for each category why, on what basis, with whom, where, how long and where from. */
export function aboutProcessing({ summary: { information }, policy, messages }: Page): Html[] {
  const { say, language } = messages
  const { categories, automatedDecisions } = information
  const rows = categories.map(
    ({
      title,
      description,
      purposes,
      recipients,
      retention,
      source,
    }) => html`<tr lang="${policy.language}"><th scope="row">${title}</th>
<td>${description}</td>
<td><ul>${purposes.map(
      ({ purpose, legalBases }) =>
        html`<li>${purpose}: ${legalBases.map(({ title, article }) => `${title} (Art. ${article})`).join('; ')}</li>`,
    )}</ul></td>
<td>${
      recipients.length > 0 &&
      html`<ul lang="${language}">${recipients.map(
        ({ safeguard, ...who }) =>
          html`<li>${say('transfer', who)}${safeguard && html`: <span lang="${policy.language}">${safeguard}</span>`}</li>`,
      )}</ul>`
    }</td>
<td>${retention.title}${retention.statute && html`: ${retention.statute}`}</td>
<td>${source}</td></tr>
`,
  )
  const head = [say('category'), say('what'), say('purposes'), say('recipients'), say('retention'), say('source')]
  return [
    rows.length > 0 ? table(say('section.processing'), head, rows) : html`<p>${say('processing.none')}</p>`,
    html`<h3>${say('automated')}</h3>
<p lang="${policy.language}">${automatedDecisions.statement}</p>`,
  ]
}

/** Art. 15(1)(e) and (f): the other rights, whom to write to, and where to complain. */
export function rights(page: Page): Html {
  const { summary, policy, messages } = page
  const { say } = messages
  const { controller, rights } = summary.information
  const { privacyOfficer, dataProtectionOfficer } = controller.contacts
  return html`<p>${say('rights.intro')}</p>
<ul>${rights.map(right => html`<li>${say('right', right)}</li>`)}</ul>
<p>${say('contact', { email: privacyOfficer, days: policy.promiseDays })}</p>
${remedies(page)}
<dl>
<dt>${say('controller')}</dt><dd>${[controller.name, ...controller.address, controller.phone].join(', ')}</dd>
<dt>${say('privacyOfficer')}</dt><dd>${privacyOfficer}</dd>
<dt>${say('dataProtectionOfficer')}</dt><dd>${dataProtectionOfficer}</dd>
</dl>`
}

/** Complaint and court (Art. 12(4), 15(1)(f)). */
export const remedies = ({ summary: { information }, policy, messages: { say, language } }: Page): Html =>
  html`<p>${say('complain', { authority: authorityFor(policy, language).name })} <a href="${information.complaint.url}" rel="noreferrer">${say('complain.link')}</a></p>`
