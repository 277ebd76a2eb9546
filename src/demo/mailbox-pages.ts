import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Eta } from 'eta'
import type { Mail } from './mail.ts'

export interface Deps {
  messages(): Mail[]
  clear(): void
}

/** A mail is somebody else's page: no script, nothing loaded from anywhere, not even in our own origin. */
const LETTER_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const eta = new Eta({ autoEscape: true })

const PAGE = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
:root{color-scheme:light dark} body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%} th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #8886}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #8886;padding:1rem} iframe{width:100%;height:36rem;border:1px solid #8886;background:#fff}
dt{font-weight:600} dd{margin:0 0 .5rem}
</style></head><body><main>${body}</main></body></html>`

const LIST = PAGE(
  'Mailbox',
  `<h1>Mailbox</h1>
<% if (it.mails.length === 0) { %><p>No mail has arrived yet. Reload this page to look again.</p><% } else { %>
<table><caption>Mails, newest first. Nothing here ever left this machine.</caption>
<thead><tr><th scope="col">No.</th><th scope="col">Subject</th><th scope="col">To</th></tr></thead>
<tbody><% for (const mail of it.mails) { %><tr><td><%= mail.number %></td>
<td><a href="/messages/<%= mail.number %>"><%= mail.subject || '(no subject)' %></a></td><td><%= mail.envelope.to.join(', ') %></td></tr><% } %></tbody></table><% } %>`,
)

const ONE = PAGE(
  '<%= it.mail.subject %>',
  `<p><a href="/">All mails</a></p><h1><%= it.mail.subject || '(no subject)' %></h1>
<dl><dt>From</dt><dd><%= it.mail.from %></dd><dt>To</dt><dd><%= it.mail.to %></dd>
<dt>Delivered to</dt><dd><%= it.mail.envelope.to.join(', ') %></dd><dt>Message-ID</dt><dd><%= it.mail.messageId %></dd></dl>
<h2>As text</h2><pre><% for (const [i, part] of it.parts.entries()) { %><% if (i % 2) { %><a href="<%= part %>"><%= part %></a><% } else { %><%= part %><% } %><% } %></pre>
<h2>As formatted</h2><iframe title="The formatted mail" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/messages/<%= it.mail.number %>/html"></iframe>`,
)

/** The mailbox's web pages and its JSON. Only asked under this machine's own names, so that no web site gets at codes by DNS rebinding. */
export const mailboxPages = (deps: Deps): RequestListener => {
  return (request, response) => {
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? ''))
      return answer(response, 421, 'text/plain', 'Ask for 127.0.0.1.')
    route(deps, request, response)
  }
}

function route({ messages, clear }: Deps, { method, url = '/' }: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(url, 'http://mailbox')
  const [, number, html] = /^\/messages\/(\d+)(\/html)?$/.exec(pathname) ?? []
  const mail = messages().find(candidate => candidate.number === Number(number))

  if (method === 'DELETE' && pathname === '/api/messages') {
    clear()
    answer(response, 204)
  } else if (method !== 'GET') {
    answer(response, 405, 'text/plain', 'Method not allowed')
  } else if (pathname === '/') {
    answer(response, 200, 'text/html', eta.renderString(LIST, { mails: messages().toReversed() }))
  } else if (pathname === '/api/messages') {
    answer(response, 200, 'application/json', JSON.stringify(messages()))
  } else if (mail && html) {
    answer(response, 200, 'text/html', mail.html, LETTER_POLICY)
  } else if (mail) {
    answer(response, 200, 'text/html', eta.renderString(ONE, { mail, parts: mail.text.split(/(https?:\/\/[^\s<>"]+)/) }))
  } else {
    answer(response, 404, 'text/plain', 'No such mail')
  }
}

function answer(response: ServerResponse, status: number, type = 'text/plain', body = '', policy = PAGE_POLICY): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
  response.end(body)
}
