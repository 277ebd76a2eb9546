import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { addVaultKey, generateVaultKeyFile } from './platform/vault-key-file.ts'

/**
 * Prints a key file for the vault: a new one, or with `--add FILE` that one with a fresh key in front. From the next start on
 * the new key writes and every key in the file still opens. Keep what it prints where only the service can read it (mode 0600).
 */
const { values } = parseArgs({ options: { add: { type: 'string' } } })
process.stdout.write(`${values.add === undefined ? generateVaultKeyFile() : addVaultKey(readFileSync(values.add, 'utf8'))}\n`)
