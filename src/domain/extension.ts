import type { Day } from './day.ts'
import type { Extension, Step } from './ledger.ts'
import { endOf, inWords } from './period.ts'
import type { Regulation } from './regulation.ts'

/** Where a law lets the answer take longer. All fields are absent where it does not. */
export interface ExtensionWindow {
  /** The last day on which it may be announced: the strict due day. */
  extensionNoticeBy?: Day
  /** The due day it would lead to. */
  extendableTo?: Day
  /** The due day since it was announced in time. */
  extendedDueOn?: Day
}

/** Whether an extension announced that day would be lawful: once only, and within the first period. */
export function canExtend(clock: ExtensionWindow & { receivedOn: Day }, on: Day): boolean {
  const { receivedOn, extensionNoticeBy, extendedDueOn } = clock
  return extensionNoticeBy !== undefined && extendedDueOn === undefined && receivedOn <= on && on <= extensionNoticeBy
}

/**
 * Applies the announced extensions. The longer period is counted from receipt like the first one: 31 January leads to
 * 30 April, not to two months after 28 February.
 */
export function extension(
  { extendable }: Regulation,
  receivedOn: Day,
  dueOn: Day,
  announced: readonly Extension[],
): ExtensionWindow & { steps: Step[] } {
  if (!extendable) return { steps: [] }
  const { citation: rule, to } = extendable
  const extendableTo = endOf(to, receivedOn)
  const possible: ExtensionWindow = { extensionNoticeBy: dueOn, extendableTo }
  const total = `${inWords(to)} from receipt`
  const isInTime = ({ on }: Extension) => canExtend({ ...possible, receivedOn }, on)

  const ignored = announced
    .filter(entry => !isInTime(entry))
    .map(({ on }) => ({ rule, text: `An extension announced on ${on} is not between receipt and ${dueOn} and does not count.` }))
  const lawful = announced.find(isInTime)
  if (!lawful) {
    const text = `Can be extended to ${total} (${extendableTo}) if announced with the reasons by ${dueOn}.`
    return { ...possible, steps: [...ignored, { rule, text }] }
  }
  const text = `Extended to ${total}, announced on ${lawful.on}.`
  return { ...possible, extendedDueOn: extendableTo, steps: [...ignored, { on: extendableTo, rule, text }] }
}
