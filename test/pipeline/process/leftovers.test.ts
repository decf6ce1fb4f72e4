import { expect, test } from 'bun:test'
import { killLeftovers } from '../../../src/pipeline/process/leftovers.ts'

test.if(process.platform === 'linux')("only processes with the dead worker's mark are killed", async () => {
  const value = `test-${process.pid}`
  const [ours, others] = [startMarked(value), startMarked(`${value}0`)]
  expect(await killLeftovers({ name: 'DARKSTREAM_WORKER', value })).toBe(1)
  await ours.exited
  expect(ours.signalCode).toBe('SIGKILL')
  expect(others.exitCode ?? others.signalCode).toBeNull()
  others.kill('SIGKILL')
  await others.exited
})

function startMarked(value: string) {
  return Bun.spawn(['sleep', '1000'], { env: { ...process.env, DARKSTREAM_WORKER: value } })
}
