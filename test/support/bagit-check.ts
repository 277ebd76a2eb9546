import { createHash } from 'node:crypto'

const OUR_ALGORITHM = 'sha256'

/**
 * What is wrong with a bag, given its files by path, after RFC 8493 sections 2 and 3: declaration, manifests both complete and true,
 * Payload-Oxum. Written from the RFC, it shares nothing with the code that makes bags. An empty list means complete and valid.
 */
export function bagFaults(files: ReadonlyMap<string, Buffer>): string[] {
  const text = (path: string) => files.get(path)?.toString('utf8') ?? ''
  const payload = [...files.keys()].filter(path => path.startsWith('data/'))
  const declared = /^BagIt-Version: 1\.0\nTag-File-Character-Encoding: UTF-8\n$/.test(text('bagit.txt'))
  return [
    ...(declared ? [] : ['bagit.txt is not the declaration']),
    ...(payload.length > 0 ? [] : ['no payload directory']),
    ...manifestFaults('manifest', files, path => path.startsWith('data/')),
    ...manifestFaults('tagmanifest', files, path => !path.startsWith('data/') && !path.startsWith('tagmanifest-')),
    ...payload.filter(path => !listed('manifest', files).has(path)).map(path => `not in the manifest: ${path}`),
    ...(listed('tagmanifest', files).has('manifest-sha256.txt') ? [] : ['the manifest is not in the tag manifest']),
    ...oxumFaults(
      text('bag-info.txt'),
      payload.map(path => files.get(path)?.length ?? 0),
    ),
  ]
}

function listed(kind: string, files: ReadonlyMap<string, Buffer>): Map<string, string> {
  const lines = (files.get(`${kind}-${OUR_ALGORITHM}.txt`)?.toString('utf8') ?? '')
    .split(/\r\n|\n|\r/)
    .filter(line => line !== '')
  return new Map(
    lines.map(line => {
      const [, digest = '', path = ''] = /^([0-9a-fA-F]+)[ \t]+(.+)$/.exec(line) ?? []
      return [path.replace(/%(0A|0D|25)/gi, code => decodeURIComponent(code)), digest.toLowerCase()]
    }),
  )
}

function manifestFaults(kind: string, files: ReadonlyMap<string, Buffer>, mayList: (path: string) => boolean): string[] {
  const entries = [...listed(kind, files)]
  if (entries.length === 0) return [`no ${kind}`]
  return entries.flatMap(([path, digest]) => {
    const content = files.get(path)
    if (!mayList(path) || path.split('/').some(step => step === '' || step === '.' || step === '..'))
      return [`${kind} may not list ${path}`]
    if (!content) return [`${kind} lists a file that is not there: ${path}`]
    return createHash(OUR_ALGORITHM).update(content).digest('hex') === digest ? [] : [`${kind}: ${path} was changed`]
  })
}

function oxumFaults(bagInfo: string, sizes: readonly number[]): string[] {
  const labels = bagInfo.split('\n').filter(line => line !== '')
  const malformed = labels.filter(line => !/^[^:\s][^:]*: ?\S.*$/.test(line) && !/^[ \t]/.test(line))
  const oxum = /^Payload-Oxum: (\d+\.\d+)$/m.exec(bagInfo)?.[1]
  const true_ = `${sizes.reduce((sum, size) => sum + size, 0)}.${sizes.length}`
  return [...malformed.map(line => `bag-info.txt: ${line}`), ...(oxum === true_ ? [] : [`Payload-Oxum is ${oxum}, not ${true_}`])]
}
