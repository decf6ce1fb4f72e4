import { join } from 'node:path'

/** A real clip that sources are copies of. */
export interface Clip {
  path: string
  /** Of the picture. */
  seconds: number
}

/** `slow` takes seconds to encode, so that it can be met in the middle. */
export interface Clips {
  short: Clip[]
  slow: Clip
}

const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest']

/** Makes the clips of a run in a folder. */
export async function makeClips(folder: string): Promise<Clips> {
  const make = async (name: string, size: string, seconds: number, extra: string[] = []): Promise<Clip> => {
    const path = join(folder, name)
    const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=${seconds}`]
    const argv = ['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', ...picture]
    const child = Bun.spawn(
      [...argv, '-f', 'lavfi', '-i', `sine=duration=${seconds}`, ...h264, ...extra, `file:${path}`],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
    )
    const [code, complaint] = await Promise.all([child.exited, child.stderr.text()])
    if (code !== 0) throw new Error(`ffmpeg could not make ${path}: ${complaint}`)
    return { path, seconds }
  }
  const short = await Promise.all([
    make('one.mp4', '320x180', 1, ['-movflags', '+faststart']),
    make('two.mkv', '320x180', 2),
    make('three.mp4', '256x144', 3),
  ])
  return { short, slow: await make('slow.mp4', '640x360', 10, ['-movflags', '+faststart']) }
}
