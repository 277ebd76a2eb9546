import { existsSync, readFileSync } from 'node:fs'
import ipaddr from 'ipaddr.js'
import type { HolidaysByPlace } from './domain/calendar.ts'
import { parseDay } from './domain/day.ts'
import { parseEmailAddress } from './domain/email-address.ts'

type Identities = readonly { type: string; value: string }[]

/** Whom adapters are checked with: they are nobody, and the first is erased by it. */
export interface CheckSubjects {
  known: Identities
  other: Identities
}

type Parse<T> = (text: string) => T

/** Reads one variable; what is wrong with it is added to the mistakes, and all of them are told together. */
export const reader =
  (env: NodeJS.ProcessEnv, mistakes: string[]) =>
  <T>(name: string, parse: Parse<T>, fallback?: string): T | undefined => {
    const text = env[name] ?? fallback
    if (text === undefined || (text === '' && fallback === undefined)) {
      mistakes.push(`${name} is not set`)
      return undefined
    }
    try {
      return parse(text)
    } catch (error) {
      mistakes.push(`${name} ${(error as Error).message}`)
      return undefined
    }
  }

const refuse = (why: string): never => {
  throw new Error(why)
}
export const asIs: Parse<string> = text => text
export const optional =
  <T>(fallback: string | undefined, parse: Parse<T>): Parse<T | ''> =>
  text =>
    fallback !== undefined && text === '' ? '' : parse(text)
export const oneOf =
  <const T extends string>(values: readonly T[]): Parse<T> =>
  text =>
    values.find(value => value === text) ?? refuse(`has to be one of ${values.join(', ')}`)
export const flag: Parse<boolean> = text => oneOf(['true', 'false'])(text) === 'true'
export const wholeNumber =
  (least: number, most: number): Parse<number> =>
  text => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    return number >= least && number <= most ? number : refuse(`has to be a whole number from ${least} to ${most}`)
  }
export const urlOf =
  (...protocols: string[]): Parse<string> =>
  text =>
    protocols.includes(URL.parse(text)?.protocol ?? '')
      ? text
      : refuse(`has to be a URL that begins with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`)
export const address: Parse<string> = text => parseEmailAddress(text) ?? refuse('has to be one plain e-mail address')
const list: Parse<string[]> = text => text.split(',').flatMap(part => part.trim() || [])
export const hostList: Parse<string[]> = text => {
  const hosts = list(text)
  return hosts.every(host => /^(\[[0-9a-f:]+\]|[a-z0-9.-]+):\d{1,5}$/i.test(host))
    ? hosts
    : refuse('takes host:port pairs, separated by commas')
}
export const proxies: Parse<string[]> = text => {
  const ranges = list(text)
  return ranges.every(range => ipaddr.isValid(range) || ipaddr.isValidCIDR(range))
    ? ranges
    : refuse('takes addresses and CIDR ranges, separated by commas')
}
const IDENTITY_TYPE = /^[a-z][a-z0-9_-]{0,62}$/
/** Two test people, each by the identities they are known by: `user_id=u-1&email=one@example.org,user_id=u-2`. */
export const checkSubjects: Parse<CheckSubjects | undefined> = text => {
  if (text === '') return undefined
  const people = list(text).map(person => [...new URLSearchParams(person)].map(([type, value]) => ({ type, value })))
  const [known, other] = people
  const isNamed = people.every(one => one.length > 0 && one.every(({ type, value }) => IDENTITY_TYPE.test(type) && value))
  return known && other && isNamed && people.length === 2
    ? { known, other }
    : refuse('names two test people, separated by a comma, each as type=value&type=value')
}
export const existingFile: Parse<string> = path => (existsSync(path) ? path : refuse('names a file that is not there'))
export const timeZone: Parse<string> = zone => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone && zone
  } catch {
    return refuse('has to be an IANA time zone such as Asia/Colombo')
  }
}
export const holidays: Parse<HolidaysByPlace> = path => {
  if (path === '') return {}
  const places = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string[]>
  return Object.fromEntries(Object.entries(places).map(([place, days]) => [place, days.map(parseDay)]))
}
