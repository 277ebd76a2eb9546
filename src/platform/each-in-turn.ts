/**
 * Does the work for each, one after the other. One that fails does not keep the others from their turn.
 * @throws Error at the end when any failed; its cause is the first failure
 */
export async function eachInTurn<T>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = []
  for await (const item of items) await work(item).catch(error => failures.push(error))
  if (failures.length > 0) throw new Error(`${failures.length} could not be done`, { cause: failures[0] })
}
