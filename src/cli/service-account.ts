import { stateFolder } from './service-unit.ts'
import { systemCommand, trySystemCommand } from './system-command.ts'

/** The account of a service. */
export interface Account {
  user: string
  uid: number
  /** Of its own group. */
  gid: number
}

/** The account of that name; `is_new` when there was none and it was made. */
export async function serviceAccount(user: string): Promise<Account & { is_new: boolean }> {
  const is_new = (await trySystemCommand(['id', '--user', user])) === undefined
  if (is_new) {
    await systemCommand(['useradd', '--system', '--home-dir', stateFolder, '--shell', '/usr/sbin/nologin', user])
  }
  const [uid, gid] = [await systemCommand(['id', '--user', user]), await systemCommand(['id', '--group', user])]
  return { user, uid: Number(uid), gid: Number(gid), is_new }
}
