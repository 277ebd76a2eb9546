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
  /** When they said that the person has their answer. */
  answeredAt: Date | null
  /** What was raised about it, and when. */
  alarms: { alarm: ForwardingAlarm; at: Date }[]
}

export type NewForwarding = Omit<Forwarding, 'acknowledgedAt' | 'answeredAt' | 'alarms'>

export interface ForwardedDataset {
  adapter: string
  dataset: string
  title: string
}

/** The last day of the month that the other controller has: it begins when the request reaches it (GDPR Art. 12(3)), ours runs beside it. */
export const theirDueOn = (forwardedOn: Day): Day => endOf({ months: 1 }, forwardedOn)

export const FORWARDING_ALARMS = ['unacknowledged', 'late'] as const
export type ForwardingAlarm = (typeof FORWARDING_ALARMS)[number]

/** Whoever has not said by then that it arrived may not know of it: three weeks of their month are left to ask. */
export const ACKNOWLEDGE_WITHIN_DAYS = 7

/** What has to be raised about a forwarding as it stands: nobody said that it arrived, or their last day is over without a word of an answer. */
export function alarmsOf(
  { forwardedAt, dueOn, acknowledgedAt, answeredAt }: Pick<Forwarding, 'forwardedAt' | 'dueOn' | 'acknowledgedAt' | 'answeredAt'>,
  now: Date,
  today: Day,
): ForwardingAlarm[] {
  if (answeredAt) return []
  const isSilent = !acknowledgedAt && now.getTime() >= forwardedAt.getTime() + ACKNOWLEDGE_WITHIN_DAYS * DAY_MS
  return [...(isSilent ? (['unacknowledged'] as const) : []), ...(today > dueOn ? (['late'] as const) : [])]
}

const DAY_MS = 86_400_000
