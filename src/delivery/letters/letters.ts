import type { AlarmLevel } from '../../domain/alarms.ts'
import type { Day } from '../../domain/day.ts'
import type { ForwardingAlarm } from '../../domain/forwarding.ts'
import type { Flag, State } from '../../domain/lifecycle.ts'
import type { MandateRefusal, Representative } from '../../domain/representation.ts'
import type { Right } from '../../domain/rights.ts'
import type { CancelReason } from '../../requests/close-request.ts'
import type { WordedCode } from './messages.ts'

/** What every letter says. */
interface Common {
  /** The id of the request. */
  reference: string
  /** How the privacy officer is reached. */
  officer: string
  name?: string
  /** To whoever acts for the person of whom the letter speaks. */
  forAnother?: boolean
}

/** Words that we did not write; without a language nobody knows which they are in. */
export interface Words {
  text: string
  language?: string
}

/** The supervisory authority that the policy names. Its address is written out, never made clickable. */
export interface Authority {
  name: string
  url: string
  /** That its name is in. */
  language: string
}

/** No refusal, not even of a part, goes without reasons and without telling where to complain (GDPR Art. 12(4)). */
interface Refused {
  /** In the words of whoever decided; an empty line begins a paragraph. */
  reasons: string
  authority: Authority
}

interface Ground {
  ground: WordedCode<'refusal.ground'>
  /** The provision of national law relied upon. */
  citation?: string
}

/** A field by the titles that its adapter gives it and its dataset: never by its value. */
export interface FieldName {
  dataset: string
  field: string
}

/** What the law has us keep, by the title of its dataset (GDPR Art. 17(3)). */
export interface Kept {
  title: string
  reason: WordedCode<'erased.kept.reason'>
  statute: string
  until: Day
}

/** The means to say *this was not me*: a page of this service, and the code to be typed there. */
export interface NotYou {
  link: string
  code: string
}

/** Of letters by which somebody may learn of a request that is not theirs. The means are there wherever one goes to an address of the person. */
interface Repudiable {
  notYou?: NotYou
}

/** A moment, as an ISO 8601 instant, told by the clock on the reader's wall. */
interface InZone {
  /** IANA. */
  timeZone: string
}

/** Requests by their references alone: the first of them, and how many there are. */
export interface DigestList {
  total: number
  first: { reference: string; right: Right; dueOn: Day; flags: readonly Flag[] }[]
}

/** Every letter there is, with what it says. Plain JSON, for a letter waits sealed in the outbox. */
export interface LetterValues {
  /** Asks who is asking: the typed code is the answer. */
  'identity-code': Common & Repudiable & { code: string; minutes: number; right: Right }
  /** Asks the person whether somebody acts for them. `mayBeAllowed`: they can have the answer sent to that one. */
  'representative-code': Common &
    Repudiable & {
      code: string
      minutes: number
      right: Right
      relationship: Representative
      representative: string
      mayBeAllowed: boolean
    }
  /** Tells a person that somebody acts for them, where nobody asks them. */
  represented: Common &
    Repudiable & { right: Right; relationship: Exclude<Representative, 'authorized_agent'>; representative: string }
  /** To whoever acts for somebody, whose address the code is to prove. */
  'requester-code': Common & { code: string; minutes: number }
  /** To the same, whoever they are: nothing about the person. */
  'mandate-refused': Common & { reason: MandateRefusal }
  /** Control of an address was shown, and is not enough for what was asked. */
  'login-needed': Common & Repudiable & { right: Right; why: WordedCode<'login-needed.why'>; secondFactor: boolean }
  'download-code': Common & { code: string; minutes: number }
  /** `promisedOn` is the last day of the promise, not of the law. */
  acknowledgment: Common & Repudiable & { right: Right; receivedOn: Day; promisedOn: Day }
  /** To whoever reported a child's account; they learn nothing more. */
  'report-received': Common
  /** A question of the staff, without which the request cannot go on. */
  clarification: Common & { about: 'identity' | 'clarification'; question: string }
  /** GDPR Art. 12(3). `dueOn` is the last day of the extended period. */
  extension: Common & { reasonCode: WordedCode<'extension.reason'>; reasons: string; receivedOn: Day; dueOn: Day }
  /** GDPR Art. 12(5)(a). `currency` is an ISO 4217 code; `amount` is in its main unit, such as '12.50'. */
  'fee-notice': Common & { amount: string; currency: string; reasons: string }
  refusal: Common & Refused & Ground & { right: Right }
  /** `parts` are titles of what is not included. */
  'partial-refusal': Common & Refused & Ground & { right: Right; parts?: Words[] }
  /** To every contact point, so that whoever did not ask can still stop it. */
  'erasure-announced': Common &
    Repudiable &
    InZone & { right: Right; ground: WordedCode<'erasure-announced.ground'>; coolsOffAt: string }
  /**
   * Only once every adapter was searched again and held nothing but what is `kept`, or has `confirmed` it where nobody can search. `only` are titles of the kinds of data that it
   * was narrowed to, `refused` of what people decided not to erase, `forwarded` of what another controller
   * has to; `rescans` are the days of further searches.
   */
  erased: Common & {
    erasedOn: Day
    /** All of it was gone already, by another request of the person. */
    before?: boolean
    /** How many were asked and searched again. */
    adapters: number
    /** Titles of those that nobody here can search: what is said of them is their word. */
    confirmed?: string[]
    only?: Words[]
    kept: Kept[]
    refused?: string[]
    forwarded?: string[]
    rescans: Day[]
    authority: Authority
  }
  /** `kept` are titles of what is now stored and no longer used. */
  restricted: Common & { restrictedOn: Day; kept: string[] }
  /** GDPR Art. 18(3): before it happens. */
  'restriction-to-be-lifted': Common & { liftsOn: Day }
  /** `remaining`: another one is in force, so nothing changes for the data. */
  'restriction-lifted': Common & { remaining: boolean }
  rectified: Common & { changed: FieldName[]; refused?: Refused & { fields: FieldName[] } }
  'objection-decided': Common & { purposes: WordedCode<'purpose'>[] } & (
      | { outcome: 'upheld'; isPart?: boolean }
      | ({ outcome: 'refused' } & Refused)
    )
  'consent-receipt': Common & { purposes: WordedCode<'purpose'>[]; cookies: WordedCode<'cookies'>[]; withdrawnOn: Day }
  'opted-out': Common & { optedOutOn: Day }
  /** To the contact of an account that was reported as a child's: in words that a child understands. */
  'under-age-restricted': Common & InZone & { contestUntil: string }
  /** To the same contact, once the report has come to nothing. */
  'under-age-lifted': Common
  /** The answer to a question or to a review, as the staff wrote it. */
  answered: Common & { text: string }
  'message-waiting': Common
  /** `link` is below this service's public address. */
  ready: Common &
    InZone & {
      link: string
      expiresAt: string
      uses: number
      /** Where the person also wanted it sent to directly (GDPR Art. 20(2)): only what the receiver confirmed is delivered. */
      transmission?: { receiver: string; outcome: WordedCode<'ready.transmission'> }
    }
  /** What was opened to somebody of the staff, because two of them thought it necessary. `until` is an ISO 8601 instant. */
  'contents-opened': Common &
    InZone & {
      role: WordedCode<'contents-opened.role'>
      reason: WordedCode<'contents-opened.reason'>
      what: WordedCode<'contents-opened.what'>[]
      until: string
    }
  lapsed: Common
  withdrawn: Common
  cancelled: Common & { reason: CancelReason }
  /** To the addresses as they were frozen: who knows people says something else by now, and the request waits. */
  'contact-changed': Common & Repudiable & { right: Right }
  /** To the other contact points, once somebody at one of them said that it was not them. */
  'request-repudiated': Common & { right: Right; effect: WordedCode<'request-repudiated.effect'>; freezeDays: number }
  /** To another controller, who fetches what it is about with a token of their own. Nothing of the person. */
  forwarding: Common & { forwarding: string; right: Right; dueOn: Day }
  /** To the same, who said nothing: that it arrived, or that it was answered. */
  'forwarding-reminder': Common & { forwarding: string; alarm: ForwardingAlarm; forwardedOn: Day; dueOn: Day }
  /** To the person: `parts` are titles of what is another controller's, who is reached at `contact`. */
  forwarded: Common & { controller: string; contact: string; parts: string[]; forwardedOn: Day; dueOn: Day }
  /** To the privacy officer. */
  'deadline-alarm': Common & { right: Right; level: AlarmLevel; dueOn: Day; state: State; flags: readonly Flag[] }
  /** To the privacy officer: another controller says nothing of what was forwarded to it. */
  'forwarding-alarm': Common & { controller: string; forwarding: string; alarm: ForwardingAlarm; dueOn: Day; reminded: boolean }
  /** To the privacy officer: somebody wrote. */
  'message-arrived': Common & { right: Right }
  /** To the privacy officer: a request is somebody's whose it is not, as they say; or somebody guessed at the code with which to say so. */
  repudiated: Common & { right: Right; effect: WordedCode<'repudiated.effect'> }
  /** To the privacy officer: which adapters hold again what was erased, or could not be asked. */
  'erasure-undone': Common & { adapters: readonly string[] }
  /** To the privacy officer: somebody tries codes on a large scale. */
  guessing: Common
  /** To the privacy officer: who of the staff opened how many cases. */
  'budget-spent': Common & { /** Their id at the issuer. */ viewer: string; budget: number }
  /** To the privacy officer, and to whoever owns it: an adapter that will answer too late. */
  'adapter-late': Common & {
    adapter: string
    /** Whose it is: the address of a team. */
    owner: string | null
    backlog: number
    late: number
    perHour: number
    doneOn: Day | null
  }
  /** To whoever looks after an adapter: a task to be done by hand. */
  'task-for-you': Common & { adapter: string; action: WordedCode<'task-for-you.action'>; doBy: Day; mail: number }
  /** To the privacy officer: references, no people. */
  'daily-digest': Common & { date: Day; open: number; unheard: number } & Record<
      'overdue' | 'dueSoon' | 'needsDecision' | 'untold' | 'opened',
      DigestList
    >
}

export type LetterName = keyof LetterValues

/** What a letter says beyond what every letter says. */
export type Said<Name extends LetterName> = LetterValues[Name] extends infer Values
  ? Values extends Common
    ? Omit<Values, keyof Common | keyof Repudiable>
    : never
  : never
