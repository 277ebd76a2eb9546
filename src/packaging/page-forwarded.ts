import { type Html, html } from './html.ts'
import type { Page } from './page.ts'

/** Who has what was not ours to answer, and until when they have to. */
export const forwarded = ({ summary, messages: { say } }: Page): Html[] =>
  summary.forwarded.map(({ controller, contact, datasets, forwardedOn, dueOn }) => {
    const titles = datasets.map(({ title }) => title).join(', ')
    const address = contact.replace(/^mailto:/, '')
    return html`<p>${say('forwarded', { controller, titles, forwardedOn, dueOn })} <a href="${contact}" rel="noreferrer"><bdi>${address}</bdi></a></p>
`
  })
