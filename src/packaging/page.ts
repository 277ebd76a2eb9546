import type { Policy } from '../policy/policy.ts'
import { type Html, html } from './html.ts'
import type { Messages } from './messages.ts'
import type { Summary } from './summary.ts'

/** What the page for reading is made from. */
export interface Page {
  summary: Summary
  policy: Policy
  /** Id of the key that the package is signed with. */
  keyId: string
  messages: Messages
}

/** A table that says what it is, and that a keyboard can scroll where it is wider than the screen. */
export const table = (caption: string, head: readonly string[], rows: readonly Html[]): Html =>
  html`<div class="table" role="region" tabindex="0" aria-label="${caption}">
<table>
<caption><bdi>${caption}</bdi></caption>
<thead><tr>${head.map(cell => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>
`
