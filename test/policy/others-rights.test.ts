import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { checkManifest } from '../../src/policy/check-manifest.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { protectionOf } from '../../src/policy/others-rights.ts'
import type { Policy } from '../../src/policy/policy.ts'

type Rules = Policy['othersRights']['rules']

const folder = mkdtempSync(join(tmpdir(), 'policy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const published = loadPolicy()
const withRules = (...rules: Rules): Policy => ({ ...published, othersRights: { ...published.othersRights, rules } })
function load(policy: Policy): Policy {
  const path = join(folder, 'policy.yaml')
  writeFileSync(path, stringify(policy))
  return loadPolicy(path)
}

const says = 'So that others are safe.'
const replies = {
  name: 'replies',
  category: 'content',
  fields: [{ name: 'text', freeText: true }, { name: 'author', thirdParty: true }, { name: 'at' }],
}
const redactedBy = (policy: Policy, adapter = 'forum', dataset = replies) =>
  [...(protectionOf(policy, adapter, dataset)?.fields ?? [])].map(([field, { rule }]) => [field, rule])

describe('a field about somebody else', () => {
  test('is redacted where no rule speaks of it', () => {
    expect(redactedBy(withRules())).toEqual([['author', 'others']])
  })

  test('is delivered where a rule says so', () => {
    const policy = withRules({ name: 'known', category: 'content', do: 'deliver', says })
    expect(protectionOf(policy, 'forum', replies)).toBeUndefined()
    expect(redactedBy(policy, 'forum', { ...replies, category: 'support' })).toEqual([['author', 'others']])
  })

  test('follows the first rule that concerns it', () => {
    const first = { name: 'first', adapter: 'forum', do: 'redact', reason: 'staff_identity', says } as const
    const second = { name: 'second', dataset: 'replies', do: 'deliver', says } as const
    expect(redactedBy(withRules(first, second))).toEqual([['author', 'first']])
    expect(redactedBy(withRules(second, first))).toEqual([])
    expect(redactedBy(withRules(first, second), 'wiki')).toEqual([])
  })
})

test('free text is redacted only where a rule says so', () => {
  const rule = { name: 'words', fields: 'free_text', do: 'redact', reason: 'rights_of_others', says } as const
  expect(redactedBy(withRules(rule))).toEqual([
    ['text', 'words'],
    ['author', 'others'],
  ])
})

test('a dataset is withheld whole where a rule names it, whatever else is said', () => {
  const keep = { name: 'keep', do: 'deliver', says } as const
  const rule = { name: 'model', adapter: 'forum', dataset: 'replies', do: 'withhold', reason: 'trade_secret', says } as const
  const policy = load(withRules(keep, rule))
  expect(protectionOf(policy, 'forum', replies)).toEqual({
    whole: { rule: 'model', reason: 'trade_secret', says },
    fields: new Map(),
  })
  expect(protectionOf(policy, 'wiki', replies)).toBeUndefined()
})

test('a dataset without marks is looked at by nobody', () => {
  expect(protectionOf(published, 'forum', { ...replies, fields: [{ name: 'author' }] })).toBeUndefined()
})

describe('a policy', () => {
  const reason = 'rights_of_others'
  test.each<[string, Rules[number], string]>([
    ['withholds a whole category', { name: 'x', category: 'content', do: 'withhold', reason, says }, 'one named dataset'],
    ['withholds everything', { name: 'x', do: 'withhold', reason, says }, '/othersRights/rules/0/do'],
    ['withholds without a reason', { name: 'x', do: 'redact', says }, '/othersRights/rules/0/reason'],
    ['has two rules of one name', { name: 'others', do: 'redact', reason, says }, '/othersRights/rules/0/name'],
  ])('that %s is refused', (_, rule, complaint) => {
    expect(() => load(withRules(rule))).toThrow(complaint)
  })

  test('with a rule for a dataset that its adapter has not lets that adapter not in', () => {
    const policy = withRules({ name: 'x', adapter: 'forum', dataset: 'answers', do: 'withhold', reason, says })
    expect(checkManifest(policy, { name: 'forum', datasets: [] })).toEqual([
      { pointer: '/datasets', detail: "The privacy policy has a rule 'x' for a dataset 'answers'." },
    ])
    expect(checkManifest(policy, { name: 'wiki', datasets: [] })).toEqual([])
  })
})
