import { readFileSync } from 'node:fs'
import { Eta } from 'eta'

/** What the page behind a link has to say just now. */
export interface Landing {
  reference: string
  bytes: number
  sha256: string
  expiresAt: Date
  usesLeft: number
  /** A code was asked for just now. */
  sent: boolean
  /** No more codes for now: the mailbox has had its share of this hour. */
  enough: boolean
  /** A code was typed that is not accepted. */
  wrong: boolean
}

const eta = new Eta({ autoEscape: true })
const template = eta.compile(readFileSync(new URL('./landing-page.html.eta', import.meta.url), 'utf8'))
const INSTANT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** A page for a person: it works without scripts, loads nothing, and opening it changes nothing. */
export const landingPage = (landing: Landing): string =>
  eta.render(template, {
    ...landing,
    gone: false,
    size: readable(landing.bytes),
    expires: `${INSTANT.format(landing.expiresAt)} UTC`,
    uses: landing.usesLeft === 1 ? 'once more' : `${landing.usesLeft} more times`,
  })

export const gonePage = (): string => eta.render(template, { gone: true, wrong: false })

const readable = (bytes: number): string =>
  bytes < 1_000_000
    ? `${Math.ceil(bytes / 1000)} kB`
    : bytes < 1_000_000_000
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`
