// Checks the evidence in this folder, offline and with nothing but Node (20 or later): node verify.mjs
//
// It holds every file against manifest.json, that against its signature, and the record in timeline.json against itself: each entry
// is hashed together with the hash of the one before it, and signed. Exit code 0 when all is as it was handed over, 1 when not.

import { createHash, createPublicKey, verify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

const read = name => readFileSync(new URL(name, import.meta.url))
const readJson = name => JSON.parse(read(name).toString('utf8'))
const sha256 = bytes => createHash('sha256').update(bytes).digest()

const flaws = []
/** Notes that a file is not as it should be, unless the check says that it is. */
function check(file, flaw, isSo) {
  try {
    if (isSo()) return
    flaws.push(`${file}: ${flaw}`)
  } catch (error) {
    flaws.push(`${file}: ${flaw} (${error.message})`)
  }
}

function checkFiles({ files }) {
  for (const { name, bytes, sha256: expected } of files) {
    check(name, 'is missing, or not the file that was handed over', () => {
      const content = read(name)
      return content.length === bytes && sha256(content).toString('hex') === expected
    })
  }
  const known = ['manifest.json', 'manifest.json.sig', ...files.map(({ name }) => name)]
  const others = readdirSync(new URL('.', import.meta.url)).filter(name => !name.startsWith('.') && !known.includes(name))
  for (const name of others) flaws.push(`${name}: is not part of the evidence`)
}

function isSigned(bytes, keyId, signature) {
  const jwk = readJson('public-keys.json').keys.find(({ kid }) => kid === keyId)
  return jwk !== undefined && verify(null, bytes, createPublicKey({ key: jwk, format: 'jwk' }), signature)
}

/** The same value with its members in one order, as the record hashes it. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([key, inner]) => [key, sorted(inner)]))
}

function hashOf({ stream, seq, at, actor, event, facts, previous }) {
  return sha256(JSON.stringify([stream, seq, at, actor.kind, actor.id, event, sorted(facts), previous]))
}

function checkEntry(file, at, entry) {
  check(file, `${at} does not match its hash`, () => hashOf(entry).toString('hex') === entry.hash)
  check(file, `${at} is not signed with a key of public-keys.json`, () =>
    isSigned(Buffer.from(entry.hash, 'hex'), entry.keyId, Buffer.from(entry.signature, 'base64')),
  )
}

/** Entries of streams that others share: each stands for itself. */
function checkOthers() {
  check('other-streams.json', 'cannot be read', () => {
    for (const [i, entry] of readJson('other-streams.json').entries.entries())
      checkEntry('other-streams.json', `entry ${i + 1}`, entry)
    return true
  })
}

/** Messages and files have to be those that were written down when they came. */
function checkMessages(entries) {
  for (const [list, event, name] of [
    ['messages', 'message_written', 'message'],
    ['attachments', 'attachment_taken', 'attachment'],
  ]) {
    const written = new Map(entries.filter(entry => entry.event === event).map(({ facts }) => [facts[name], facts]))
    check(`${list}.json`, 'does not match the record', () =>
      readJson(`${list}.json`)[list].every(({ id, sha256 }) => written.get(id)?.sha256 === sha256),
    )
  }
}

/** @returns the entries, or none when they cannot be read: then that has been noted */
function checkRecord({ stream, head }) {
  let entries = []
  check('timeline.json', 'cannot be read', () => {
    const read = readJson('timeline.json').entries
    if (!Array.isArray(read) || read.length === 0) return false
    entries = read
    return true
  })
  let previous = '0'.repeat(64)
  for (const [i, entry] of entries.entries()) {
    const at = `entry ${i + 1}`
    check('timeline.json', `${at} is missing or of another case`, () => entry.seq === i + 1 && entry.stream === stream)
    check('timeline.json', `${at} does not follow from the one before`, () => entry.previous === previous)
    checkEntry('timeline.json', at, entry)
    previous = entry?.hash
  }
  check('timeline.json', 'does not end where the record ended', () => head.seq === entries.length && head.hash === previous)
  return entries
}

function main() {
  let manifest
  check('manifest.json', 'cannot be read', () => {
    manifest = readJson('manifest.json')
    return Array.isArray(manifest.files)
  })
  if (flaws.length > 0) return
  checkFiles(manifest)
  check('manifest.json', 'its signature in manifest.json.sig is not one of public-keys.json', () =>
    isSigned(read('manifest.json'), manifest.keyId, read('manifest.json.sig')),
  )
  const entries = checkRecord(manifest)
  checkOthers()
  checkMessages(entries)
  if (flaws.length > 0) return
  const { x } = readJson('public-keys.json').keys.find(({ kid }) => kid === manifest.keyId)
  say(`Evidence of ${manifest.stream}, taken ${manifest.takenAt}.`)
  say(`${manifest.files.length} files are as they were handed over.`)
  say(
    `${entries.length} entries of the record, from ${entries[0].at} to ${entries.at(-1).at}, follow from each other and are signed.`,
  )
  say(`The key that proves it: ${manifest.keyId}, ${x}`)
  say(`Whose key that is, no file in here can prove: compare it with ${manifest.publishedKeys}`)
}

const say = line => process.stdout.write(`${line}\n`)

main()
for (const flaw of flaws) say(flaw)
say(flaws.length > 0 ? 'NOT INTACT' : 'INTACT')
process.exitCode = flaws.length > 0 ? 1 : 0
