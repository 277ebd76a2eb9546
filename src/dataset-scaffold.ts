import { parseArgs } from 'node:util'
import { draftFor } from './sql/command.ts'
import { writeDescription } from './sql/description-file.ts'

const USAGE = 'npm run -s dataset:scaffold -- --database postgresql://… --subject users.id [--name adapter] > dataset.yaml'

/** Prints a first draft of the description of a database. Fill in what says `choose`, then let `dataset:lint` look at it. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { database: { type: 'string' }, subject: { type: 'string' }, name: { type: 'string', default: 'database' } },
  })
  const { database, subject, name } = values
  if (database === undefined || subject === undefined)
    throw new Error('Which database, and which column is the number of a person?')
  process.stdout.write(writeDescription(await draftFor(database, subject, name)))
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\nusage: ${USAGE}\n`)
  process.exitCode = 2
})
