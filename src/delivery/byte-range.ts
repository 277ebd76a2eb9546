import { Problem } from '../domain/problem.ts'

export interface ByteRange {
  start: number
  end: number
  partial: boolean
}

/**
 * The part of a file of `size` bytes that a Range header asks for (RFC 9110, 14.2), both ends included: the whole without a
 * header, with another unit, or with several ranges, which a server may ignore. @throws Problem `range_not_satisfiable`
 */
export function byteRange(header: string | undefined, size: number): ByteRange {
  const whole = { start: 0, end: size - 1, partial: false }
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return whole
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start > end || (first === '' && Number(last) === 0))
    throw new Problem('range_not_satisfiable', `The file has ${size} bytes.`)
  return { start, end, partial: true }
}
