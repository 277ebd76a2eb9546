import { setTimeout as after } from 'node:timers/promises'

/** Waits until it is so. @throws when it never comes to that */
export async function eventually(isSo: () => boolean | Promise<boolean>, milliseconds = 10_000): Promise<void> {
  const end = Date.now() + milliseconds
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`It never came to that: ${isSo}`)
    await after(20)
  }
}
