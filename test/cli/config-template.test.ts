import { expect, test } from 'bun:test'
import { filledTemplate } from '../../src/cli/config-template.ts'
import { loadConfig } from '../../src/config/load.ts'

const comments = (whole: string) => whole.split('\n').filter((line) => /^ *#/.test(line))
const load = (text: string) => loadConfig({ file: 'c.yaml', text, environment: {}, flags: {} }).config

test('without answers it is the example, and means the defaults', () => {
  expect(load(filledTemplate({}))).toEqual(loadConfig({ environment: {}, flags: {} }).config)
})

test('an answer takes the place of its default, whatever YAML would make of it, and every comment stays', () => {
  const odd = ['/srv/a: b #c', '- x', '@home', '"quoted"', "it's", '007', '/a\\b', '日本語', '{x}', '  spaced']
  for (const root_path of odd) {
    const text = filledTemplate({ 'scanner.root_path': root_path, 'worker.id': root_path })
    expect(load(text).scanner.root_path).toBe(root_path)
    expect(load(text).worker.id).toBe(root_path)
    expect(comments(text)).toEqual(comments(filledTemplate({})))
  }
})
