import type { Day } from './day.ts'
import { endOf } from './period.ts'

/** A part of a request that is for another controller to answer. */
export interface Forwarding {
  id: string
  requestId: string
  /** As the policy names it. */
  controller: string
  /** Where people reach it: a web page or a mail address, as a URI. */
  contact: string
  /** The service, by issuer and client, as which it calls. */
  client: string
  datasets: ForwardedDataset[]
  forwardedAt: Date
  dueOn: Day
  acknowledgedAt: Date | null
}

export interface ForwardedDataset {
  adapter: string
  dataset: string
  title: string
}

/** The last day of the month that the other controller has: it begins when the request reaches it (GDPR Art. 12(3)), ours runs beside it. */
export const theirDueOn = (forwardedOn: Day): Day => endOf({ months: 1 }, forwardedOn)
