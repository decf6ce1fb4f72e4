const picture = (size: string, seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:d=${seconds}`]
const sound = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`]
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
const aac = ['-c:a', 'aac']

/** What people have on their disks, in small: a path in the source folder, and ffmpeg's arguments for it. */
export const samples: readonly { name: string; recipe: readonly string[] }[] = [
  { name: 'camera.mkv', recipe: [...picture('1280x720', 2), ...sound(2), ...x264, ...aac] },
  {
    name: 'old camcorder.avi',
    recipe: [...picture('720x576', 3), ...sound(3), '-c:v', 'mpeg4', '-q:v', '4', '-c:a', 'libmp3lame'],
  },
  {
    name: 'screencast.webm',
    recipe: [
      [...picture('640x360', 3), ...sound(3), '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
      ['-c:a', 'libopus'],
    ].flat(),
  },
  { name: 'phone, portrait.mov', recipe: [...picture('540x960', 3), ...sound(3), ...x264, ...aac] },
  { name: 'holidays/beach 🏖️.mp4', recipe: [...picture('640x480', 4), ...sound(4), ...x264, ...aac] },
  { name: 'holidays/larger than the box.mkv', recipe: [...picture('2560x1440', 1), ...x264] },
]
