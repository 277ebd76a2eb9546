import { readFileSync } from 'node:fs'
import { Eta } from 'eta'

/** What the page behind a link has to say just now. */
export interface Landing {
  /** Where its forms go: the page's own path. */
  path: string
  reference: string
  bytes: number
  sha256: string
  expiresAt: Date
  usesLeft: number
  sent: boolean
  wrong: boolean
}

const eta = new Eta({ autoEscape: true })
const template = eta.compile(readFileSync(new URL('./landing-page.html.eta', import.meta.url), 'utf8'))

/** A page for a person: it works without scripts, loads nothing, and opening it changes nothing. */
export const landingPage = (landing: Landing): string =>
  eta.render(template, { ...landing, size: readable(landing.bytes), expires: landing.expiresAt.toUTCString() })

const readable = (bytes: number): string =>
  bytes < 1_000_000
    ? `${Math.ceil(bytes / 1000)} kB`
    : bytes < 1_000_000_000
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`

export const gonePage = (): string =>
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Link expired</title><main><h1>This link no longer works</h1><p>It has expired, was used up, or was replaced by a newer one. Nothing is lost: answer the mail it came with, and a new one will be sent.</p></main></html>'
