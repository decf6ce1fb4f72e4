import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, type Layout, resultName, structs } from '../../src/vulkan/layout.ts'
import { temporaryFolder } from '../support/program.ts'
import { lacks, runC } from '../support/vulkan.ts'

const layouts: [name: string, layout: Layout][] = Object.entries(structs)

test('sizes, offsets and numbers are those that a C compiler gave for the headers of Vulkan 1.4.363', () => {
  const recorded = readFileSync(join(import.meta.dir, '..', 'fixtures', 'vulkan-layout.txt'), 'utf8')
  expect(ours()).toEqual(recorded.trim().split('\n'))
})

test.skipIf(lacks('compiler', 'headers'))('the C compiler of this machine agrees, as far as its headers go', () => {
  const program = ['#include <stdio.h>', '#include <stddef.h>', '#include <vulkan/vulkan.h>', 'int main(void) {']
  for (const [name, layout] of layouts) {
    const fields = Object.keys(layout.offsets).map((field) => `printf(" ${field}=%zu", offsetof(${name}, ${field}));`)
    const type = layout.type === null ? '' : `printf(" type=%d", (int)${typeName(name)});`
    program.push(guarded(name, `printf("${name} size=%zu", sizeof(${name})); ${type} ${fields.join(' ')} puts("");`))
  }
  for (const name of Object.keys(constants))
    program.push(guarded(name, `printf("${name}=%lld\\n", (long long)${name});`))
  const said = runC(temporaryFolder(), `${program.join('\n')}\n}\n`)
    .trim()
    .split('\n')
  expect(said.length).toBeGreaterThan(50)
  expect(ours().filter((line) => said.some((other) => head(other) === head(line)))).toEqual(said)
})

test('a result is called by its name in C', () => {
  expect([resultName(-9), resultName(-1000023003), resultName(-77)]).toEqual([
    'VK_ERROR_INCOMPATIBLE_DRIVER',
    'VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR',
    'VkResult -77',
  ])
})

function ours(): string[] {
  const lines = layouts.map(([name, { size, type, offsets }]) => {
    const fields = Object.entries(offsets).map(([field, offset]) => ` ${field}=${offset}`)
    return `${name} size=${size}${type === null ? '' : ` type=${type}`}${fields.join('')}`
  })
  return [...lines, ...Object.entries(constants).map(([name, value]) => `${name}=${value}`)]
}

function head(line: string): string {
  return line.split(/[ =]/)[0] ?? ''
}

/** `VkVideoDecodeH264ProfileInfoKHR` -> `VK_STRUCTURE_TYPE_VIDEO_DECODE_H264_PROFILE_INFO_KHR` */
function typeName(struct: string): string {
  const [, name, vendor] = /^Vk(.+?)(KHR|EXT|)$/.exec(struct) ?? []
  const words = (name ?? '')
    .replaceAll(/([a-z])([A-Z0-9])/g, '$1_$2')
    .replaceAll(/([0-9])([A-Z][a-z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
  return `VK_STRUCTURE_TYPE_${words.toUpperCase()}${vendor ? `_${vendor}` : ''}`
}

/** Older headers lack codecs that came later, or have them as drafts under other names. */
function guarded(name: string, line: string): string {
  const codec = /(decode|encode)_?(h264|h265|av1|vp9)/i.exec(name)
  const isEncode = /VideoEncode|VIDEO_ENCODE/.test(name)
  const standard = /^STD_VIDEO_(AV1|VP9)/.exec(name)
  const macro = codec
    ? `VK_KHR_video_${codec[1]}_${codec[2]}`.toLowerCase().replace('vk_khr', 'VK_KHR')
    : isEncode
      ? 'VK_KHR_video_encode_queue'
      : standard
        ? `VULKAN_VIDEO_CODEC_${standard[1]}STD_H_`
        : 'VK_VERSION_1_1'
  return `#ifdef ${macro}\n${line}\n#endif`
}
