import { Transform } from 'node:stream'

/** What becomes of one piece. `piece` is only lent: its memory is used again for the next. */
export type Turn = (piece: Buffer, index: number, last: boolean) => Buffer | undefined

/**
 * Cuts a stream into pieces, the first of `firstBytes`, the others of `bytes`, and puts out what `turn` makes of each.
 * A full piece waits until there is more, so that `turn` is told truly which is the last; that one may be shorter, and
 * is the only one, and empty, if nothing came at all. What `turn` throws is the stream's error.
 */
export function inPieces(firstBytes: number, bytes: number, turn: Turn): Transform {
  let piece = Buffer.allocUnsafeSlow(firstBytes)
  let filled = 0
  let index = 0

  const turned = (last: boolean) => turn(piece.subarray(0, filled), index, last)
  const startNext = () => {
    if (index === 0 && bytes !== firstBytes) piece = Buffer.allocUnsafeSlow(bytes)
    filled = 0
    index += 1
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        for (let at = 0, copied = 0; at < chunk.length; at += copied, filled += copied) {
          if (filled === piece.length) {
            const output = turned(false)
            if (output?.length) this.push(output)
            startNext()
          }
          copied = chunk.copy(piece, filled, at)
        }
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      try {
        done(null, turned(true))
      } catch (error) {
        done(error as Error)
      }
    },
  })
}
