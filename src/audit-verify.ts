import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Head, verifyAudit } from './audit/verify.ts'
import { readAuditConfig } from './config.ts'
import { openDatabase } from './platform/database.ts'
import { openVaultFile } from './platform/vault.ts'

const USAGE = 'npm run audit:verify -- [--stream request:<id>] [--against heads.json] [--heads heads.json]'

/**
 * Reads the whole record and names the first entry that is not as it was written. `--heads` keeps where every stream ends in a
 * file, to be put where the database's administrators cannot reach; `--against` holds the record against such a file, which
 * finds an end that was cut off. Exit code 0 when intact, 1 when not, 2 when it could not be checked.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { stream: { type: 'string' }, against: { type: 'string' }, heads: { type: 'string' } },
  })
  const { databaseUrl, databaseRole, vaultKeyFile } = readAuditConfig()
  const { vault } = openVaultFile(vaultKeyFile, { allowOpenToOthers: true })
  const database = await openDatabase({ url: databaseUrl, ...(databaseRole && { role: databaseRole }), tables: [], poolSize: 2 })
  try {
    const known = values.against ? (JSON.parse(readFileSync(values.against, 'utf8')) as Head[]) : []
    const heads: Head[] = []
    const checkSignature = (keyId: string, bytes: Buffer, signature: Buffer) =>
      vault.verify(bytes, { keyId, algorithm: 'Ed25519', signature })
    const verdict = await verifyAudit(
      { read: database.read, checkSignature },
      { ...(values.stream && { stream: values.stream }), heads: known, onHead: head => heads.push(head) },
    )
    if (values.heads && verdict.intact) writeFileSync(values.heads, JSON.stringify(heads))
    const { firstBad } = verdict
    process.stdout.write(
      firstBad
        ? `NOT INTACT: ${firstBad.stream} entry ${firstBad.seq}: ${firstBad.reason}\n`
        : `intact: ${verdict.entries} entries in ${verdict.streams} streams\n`,
    )
    return verdict.intact ? 0 : 1
  } finally {
    await database.close()
  }
}

main().then(
  code => {
    process.exitCode = code
  },
  (error: Error) => {
    process.stderr.write(`${error.message}\nusage: ${USAGE}\n`)
    process.exitCode = 2
  },
)
