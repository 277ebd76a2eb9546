import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { Unready } from './unready.ts'

const CONTEXT = 'vault_probe|sealed|1'

/**
 * Makes sure that the key file is the one this database was written with: a well-formed wrong one would only show when somebody's
 * data cannot be opened, and would seal new data under a key that nobody keeps. @throws Error
 */
export async function probeVault(read: Tx, vault: Pick<Vault, 'seal' | 'open'>): Promise<void> {
  const [table] = await read.query<{ exists: boolean }[]>(`SELECT to_regclass('vault_probe') IS NOT NULL AS exists`)
  if (!table?.exists) throw new Unready('The database has not the shape of this version: start once with ROLE=migrate.')
  await read.query('INSERT INTO vault_probe (id, sealed) VALUES (1, $1) ON CONFLICT DO NOTHING', [vault.seal('probe', CONTEXT)])
  const [probe] = await read.query<{ sealed: Buffer }[]>('SELECT sealed FROM vault_probe WHERE id = 1')
  try {
    vault.open(probe?.sealed ?? Buffer.alloc(0), CONTEXT)
  } catch (cause) {
    throw new Unready('VAULT_KEY_FILE does not hold the keys that this database was written with.', { cause })
  }
}
