import { describe, expect, test } from '@jest/globals'
import { readCallback } from '../../src/adapters/read-callback.ts'
import { ASKED, taskFor } from '../support/adapter-calls.ts'

const task = taskFor({ action: 'erase', scope: { datasets: ['invoices'] } })
const result = { taskId: task.taskId, matched: [ASKED], datasets: [{ name: 'invoices', outcome: 'completed', count: 1 }] }
const read = (body: unknown, of = task) => readCallback(of, Buffer.from(JSON.stringify(body)))

describe('a callback', () => {
  test('brings the result itself', () => {
    expect(read(result)).toEqual({ kind: 'result', matched: [ASKED], datasets: result.datasets })
  })

  test('may only say that the answer is ready', () => {
    expect(read({ taskId: task.taskId, status: 'done' })).toEqual({ kind: 'ready' })
    expect(read({ taskId: task.taskId, status: 'done' }, taskFor())).toEqual({ kind: 'ready' })
  })

  test('never brings collected data, nor an address to fetch them from', () => {
    expect(read({ ...result, datasets: [{ name: 'invoices', outcome: 'completed', records: [{}] }] }, taskFor())).toMatchObject({
      kind: 'failed',
    })
    expect(read({ taskId: task.taskId, status: 'done', location: 'http://169.254.169.254/' })).toEqual({ kind: 'ready' })
    expect(read({ taskId: task.taskId, url: 'http://169.254.169.254/' })).toMatchObject({ kind: 'failed', code: 'not_valid' })
  })

  test.each<[string, unknown, object]>([
    ['for another task', { ...result, taskId: 'another' }, { kind: 'failed', code: 'task_mismatch' }],
    ['that is done with another task', { taskId: 'another', status: 'done' }, { kind: 'failed', code: 'not_valid' }],
    ['still at work', { taskId: task.taskId, status: 'working' }, { kind: 'failed', code: 'not_valid' }],
    ['about somebody else', { ...result, matched: [{ type: 'user_id', value: 'u-1' }] }, { kind: 'quarantined' }],
    ['that leaves a dataset out', { ...result, datasets: [] }, { kind: 'failed', code: 'dataset_missing' }],
    ['with our own task sent back', task, { kind: 'failed', code: 'not_valid' }],
    ['with nothing', null, { kind: 'failed', code: 'not_valid' }],
  ])('%s has no effect', (_, body, answer) => {
    expect(read(body)).toMatchObject(answer)
  })

  test('that is not JSON has no effect', () => {
    expect(readCallback(task, Buffer.from('<html>'))).toMatchObject({ kind: 'failed', code: 'not_json' })
  })
})
