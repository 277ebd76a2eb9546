import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

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

/** Something that is looked at whenever the monitoring asks: a number for each value of one label. */
export function measure(
  metrics: Metrics,
  { name, help, label }: { name: string; help: string; label: string },
  look: () => Promise<readonly (readonly [label: string, value: number])[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [metrics],
    async collect() {
      const seen = await look()
      this.reset()
      for (const [of, value] of seen) this.set({ [label]: of }, value)
    },
  })
}
