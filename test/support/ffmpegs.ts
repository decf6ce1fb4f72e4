/** The ffmpegs that tests of all versions run with, by name: the system's, and a newer one where the machine has it. */
export const testFfmpegs: [name: string, path: string][] = [
  ['ffmpeg', 'ffmpeg'],
  ...[process.env['DARKSTREAM_TEST_FFMPEG']].flatMap((path): [string, string][] =>
    path === undefined ? [] : [['a newer ffmpeg', path]],
  ),
]
