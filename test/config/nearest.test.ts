import { expect, test } from 'bun:test'
import { editDistance, nearest } from '../../src/config/nearest.ts'

const names = ['root_path', 'output_base', 'watch', 'id']

test('a slip of the keyboard is recognised', () => {
  expect(nearest('rot_path', names)).toBe('root_path')
  expect(nearest('root_paht', names)).toBe('root_path')
  expect(nearest('ouput_base', names)).toBe('output_base')
})

test('another way of joining words is recognised', () => {
  expect(nearest('rootPath', names)).toBe('root_path')
  expect(nearest('ROOT-PATH', names)).toBe('root_path')
})

test('a word that is far from all is nobody’s', () => {
  expect(nearest('colour', names)).toBeUndefined()
  expect(nearest('', names)).toBeUndefined()
  expect(nearest('xy', names)).toBeUndefined()
  expect(nearest('x'.repeat(1_000_000), names)).toBeUndefined()
})

test('added, missing, changed and swapped letters count one each', () => {
  expect(['abcd', 'abc', 'abx', 'acb', ''].map((word) => editDistance(word, 'abc'))).toEqual([1, 0, 1, 1, 3])
})
