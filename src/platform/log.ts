import { type DestinationStream, type Logger, pino } from 'pino'
import { loggable } from './log-fields.ts'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/**
 * One JSON line per event, on standard output unless told otherwise. Only the fields of `LOG_FIELDS` get out, errors
 * without their message. Messages are constant texts: values do not belong into them and placeholders are not filled.
 */
export function createLog({ level, destination }: { level: LogLevel; destination?: DestinationStream }): Log {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }), log: loggable },
      serializers: { err: value => value }, // reduced already
      hooks: {
        logMethod(args, method) {
          const [first, second] = args as [unknown, unknown?]
          if (typeof first === 'string') return method.call(this, {}, first)
          const fields = first instanceof Error ? { err: first } : (first ?? {})
          method.call(this, fields, typeof second === 'string' ? second : 'an error without words')
        },
      },
    },
    destination ?? pino.destination(1),
  )
  // pino does not pass the fields of child loggers through the formatter
  const child = log.child
  log.child = function (this: Log, fields, options) {
    return child.call(this, loggable(fields), options)
  } as Log['child']
  return log
}
