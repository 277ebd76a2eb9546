import type { Policy } from './policy.ts'

export type OtherController = Policy['controllers'][number]

/** Whose a dataset is, where it is not ours to answer for (Art. 4(7)): that of the first controller in the policy that it fits. */
export const controllerOf = (
  { controllers }: { controllers: readonly OtherController[] },
  adapter: string,
  { name, category }: { name: string; category: string },
): OtherController | undefined =>
  controllers.find(
    other =>
      (other.adapter ?? adapter) === adapter &&
      (other.datasets?.includes(name) || other.categories?.some(one => one === category)),
  )
