import { expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selfSigned } from '../../src/api/certificate.ts'
import { keyPairLook, readKeyPair } from '../../src/api/key-pair.ts'
import { createLog } from '../../src/util/log.ts'
import { temporaryFolder } from '../support/program.ts'

const [one, other] = [selfSigned(['one'], new Date()), selfSigned(['other'], new Date())]

function place() {
  const folder = temporaryFolder()
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const write = (cert: string, key: string) => {
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
  }
  write(one.cert, one.key)
  return { folder, files, write }
}

function refusal(read: () => unknown): string {
  try {
    read()
    return 'nothing'
  } catch (error) {
    return (error as Error).message
  }
}

test('a pair is read from two files, or from one that holds both', () => {
  const { files, write } = place()
  expect(readKeyPair(files)).toEqual(one)
  write(one.cert + one.key, '')
  expect(readKeyPair({ cert: files.cert, key: files.cert }).cert).toContain(one.key)
})

test('what does not hold is told with the file, and not with what is in it', () => {
  const { files, write } = place()
  const told = (cert: string, key: string) => {
    write(cert, key)
    return refusal(() => readKeyPair(files))
  }
  expect(told(one.cert, other.key)).toContain('is not that of the certificate')
  expect(told('garbage', one.key)).toMatch(/cert\.pem holds no certificate/)
  expect(told('', one.key)).toMatch(/cert\.pem holds no certificate/)
  expect(told(one.key, one.key)).toMatch(/cert\.pem holds no certificate/)
  expect(told(one.cert, one.cert)).toMatch(/key\.pem holds no private key/)
  expect(told(one.cert, 'secret garbage')).not.toContain('secret garbage')
  rmSync(files.key)
  expect(refusal(() => readKeyPair(files))).toMatch(/cannot read .*key\.pem: there is no such file/)
})

test('another pair is given once; a broken or half written one never, and is told of once', () => {
  const { folder, files, write } = place()
  const lines = join(folder, 'log')
  const look = keyPairLook(files, createLog({ level: 'warn', format: 'text', output_path: lines }))
  expect(look()).toBeUndefined()
  write(other.cert, one.key)
  expect([look(), look(), look()]).toEqual([undefined, undefined, undefined])
  write(other.cert, other.key)
  expect([look(), look()]).toEqual([other, undefined])
  rmSync(files.cert)
  expect([look(), look()]).toEqual([undefined, undefined])
  write(one.cert, one.key)
  expect([look(), look()]).toEqual([one, undefined])
  const told = readFileSync(lines, 'utf8').trim().split('\n')
  expect(told).toHaveLength(2)
  expect(told[0]).toContain('is not that of the certificate')
  expect(told[1]).toContain('the certificate of before stays in use')
})
