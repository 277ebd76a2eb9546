import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { AdapterFault } from '../adapters/fault.ts'
import { faultOf } from '../adapters/trouble.ts'
import type { OutboundAnswer } from '../platform/outbound.ts'
import { addressOf, isOwn, type Processor } from './processor.ts'
import type { Progress } from './statuses.ts'

type Completed = Extract<Progress, { kind: 'completed' }>

/** Where the results of a request that is completed can be fetched: nowhere, where it says that there are none. @throws AdapterFault */
export function resultsOf({ baseUrl, profile }: Processor, { id, resultUrls, resultsCount }: Completed): readonly string[] {
  if (resultsCount === 0) return []
  if (resultUrls.length > 0) return resultUrls
  if (profile.resultsPath) return [addressOf(baseUrl, profile.resultsPath.replace('{id}', id))]
  throw new AdapterFault('not_valid', 'the request is said to be completed, and neither has results nor says that it has none')
}

/** Something that a processor had put down somewhere, as a file as it is: no two agree on what is in it. */
export interface Fetched {
  name: string
  mediaType: string
  url: string
  content: Readable
}

/** @returns undefined where there is nothing @throws AdapterFault, OutboundError */
export async function fetchResults(processor: Processor, url: string, bytes: number): Promise<Fetched | undefined> {
  const { profile, baseUrl } = processor
  const isKnown = isOwn(baseUrl, url) || profile.resultsHosts.includes(new URL(url).hostname)
  if (!isKnown) throw new AdapterFault('file_refused', 'the results are at a place that is not named for them')
  const answer = await processor.ask(url, { bytes, isOpen: profile.resultsAuth === 'none' })
  if (answer.status === 200) {
    const mediaType = mediaTypeOf(answer)
    return { name: nameOf(url, mediaType), mediaType, url, content: Readable.from(answer.body, { objectMode: false }) }
  }
  answer.discard()
  if (answer.status === 404 && profile.notFoundIsNoData) return undefined
  if (answer.status === 410)
    throw new AdapterFault('unexpected_status', 'the results are kept no longer, and have to be asked for anew')
  throw faultOf(answer.status)
}

const mediaTypeOf = ({ headers }: OutboundAnswer): string => {
  const essence = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^[a-z0-9.+-]{1,127}\/[a-z0-9.+-]{1,127}$/.test(essence) ? essence : 'application/octet-stream'
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'application/json': '.json',
  'application/zip': '.zip',
  'text/csv': '.csv',
  'text/plain': '.txt',
}

/** The last part of its address where that is the name of a file; else what it is. */
function nameOf(address: string, mediaType: string): string {
  const last = posix.basename(new URL(address).pathname)
  return /^[\w.-]{1,200}\.\w{1,8}$/.test(last) ? last : `results${EXTENSIONS[mediaType] ?? ''}`
}
