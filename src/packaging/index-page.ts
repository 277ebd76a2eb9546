import { type Child, type Html, html } from './html.ts'
import { type Page, table } from './page.ts'
import { aboutProcessing, rights } from './page-article-fifteen.ts'
import { data, dictionary, missing } from './page-data.ts'
import { STYLE } from './page-style.ts'
import { withheld } from './page-withheld.ts'
import { VERIFY_COMMAND } from './signature.ts'

/**
 * Nothing is loaded, run, framed or sent, whatever got into the page. Styles are the exception, and ours stands in the page itself.
 * `base-uri` and `form-action` have no fallback in `default-src`.
 */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const SECTIONS = {
  summary: overview,
  data,
  missing,
  withheld,
  processing: aboutProcessing,
  rights,
  dictionary,
  check: howToCheck,
} as const satisfies Record<string, (page: Page) => Child>

/** `index.html`: the package for reading, offline, in any browser, without scripts; accessible after WCAG 2.2 AA. The answer comes first. */
export function indexPage(page: Page): string {
  const { language, say } = page.messages
  const names = Object.keys(SECTIONS) as (keyof typeof SECTIONS)[]
  return html`<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${say('title')}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">${say('skip')}</a>
<header>
<h1>${say('title')}</h1>
<p>${say(`package.${page.summary.request.right}`)}. ${say('from', { controller: page.policy.controller.name })}.</p>
</header>
<nav aria-label="${say('contents')}">
<ul>${names.map(name => html`<li><a href="#${name}">${say(`section.${name}`)}</a></li>`)}</ul>
</nav>
<main id="main" tabindex="-1">
${names.map(
  name => html`<section aria-labelledby="${name}">
<h2 id="${name}">${say(`section.${name}`)}</h2>
${SECTIONS[name](page)}
</section>
`,
)}
</main>
</body>
</html>
`.markup
}

function overview({ summary: { request, completeness, adapters, information }, messages: { say, instant } }: Page): Html {
  const rows = adapters.map(
    ({ title, status, asOf }) =>
      html`<tr><th scope="row"><bdi>${title}</bdi></th><td>${say(`status.${status}`)}</td><td>${asOf && instant(asOf)}</td></tr>
`,
  )
  return html`<p class="statement">${completeness.statement}</p>
<dl>
<dt>${say('request')}</dt><dd>${request.id}</dd>
<dt>${say('received')}</dt><dd>${instant(request.receivedAt)}</dd>
<dt>${say('assembled')}</dt><dd>${instant(request.assembledAt)}</dd>
<dt>${say('policy')}</dt><dd>${information.policyVersion}</dd>
</dl>
${table(say('services'), [say('service'), say('answer'), say('asOf')], rows)}`
}

function howToCheck({ keyId, messages: { say } }: Page): Html {
  return html`<p>${say('check.digests')}</p>
<pre tabindex="0"><code>sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt</code></pre>
<p>${say('check.signature')}</p>
<pre tabindex="0"><code>${VERIFY_COMMAND}</code></pre>
<p>${say('check.key', { key: keyId })}</p>`
}
