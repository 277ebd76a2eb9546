/** RFC 3339, without what its writers leave out or add: a zone (then it is UTC), nine digits of a second, a blank for the T. */
const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?(Z|[+-]\d\d:?\d\d)?$/i

/** Undefined for what is no moment: nobody's answer depends on it. */
export function readMoment(said: unknown): Date | undefined {
  const [, day, time, fraction = '0', zone = 'Z'] = MOMENT.exec(typeof said === 'string' ? said.trim() : '') ?? []
  if (!day) return undefined
  const moment = new Date(`${day}T${time}.${fraction.padEnd(3, '0')}${zone.toUpperCase().replace(/(\d\d)(\d\d)$/, '$1:$2')}`)
  return Number.isNaN(moment.getTime()) ? undefined : moment
}
