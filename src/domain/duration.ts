/** ISO 8601 in units that always have the same length: weeks, days, hours, minutes and seconds. */
export const DURATION =
  /^P(?=[0-9]|T[0-9])(?:([0-9]{1,5})W)?(?:([0-9]{1,5})D)?(?:T(?=[0-9])(?:([0-9]{1,5})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,5})S)?)?$/

const SECONDS = [604_800, 86_400, 3_600, 60, 1]

/** How long `P3D` or `PT72H` is. @throws RangeError for anything else, months and years among them */
export function millisecondsOf(duration: string): number {
  const units = DURATION.exec(duration)?.slice(1)
  if (!units) throw new RangeError('Not a duration in weeks, days, hours, minutes and seconds.')
  return units.reduce((sum, count, i) => sum + Number(count ?? 0) * (SECONDS[i] ?? 0) * 1000, 0)
}
