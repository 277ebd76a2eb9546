import { collectDefaultMetrics, Registry } from 'prom-client'

export type Metrics = Registry

/**
 * Where counters and histograms are registered and read from. Labels are names out of our own vocabulary, never ids:
 * an id is personal data and a series per id never ends. `ofProcess` adds memory, event loop and garbage collection.
 */
export function createMetrics({ ofProcess = false }: { ofProcess?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (ofProcess) collectDefaultMetrics({ register: registry })
  return registry
}
