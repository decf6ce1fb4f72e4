import type { Container } from '../../../contract/conversion.ts'

/** Sound that each container takes as it is. In mp4, FFmpeg calls flac experimental before 6, and reads mp2 back as mp3. */
const sounds: Record<Container, RegExp> = {
  mp4: /^(aac|mp3|ac3|eac3|opus|alac)$/,
  mkv: /^(aac|mp[123]|ac3|eac3|dts|truehd|mlp|flac|opus|vorbis|alac|wavpack|tta|wmav[12]|pcm_(u8|[sf](16|24|32|64)le))$/,
  webm: /^(opus|vorbis)$/,
  mov: /^(aac|mp3|ac3|eac3|alac|pcm_([su]8|[sf](16|24|32|64)(le|be)))$/,
}

/** Subtitles that each container takes as they are. */
const subtitles: Record<Container, RegExp> = {
  mp4: /^mov_text$/,
  mkv: /^(subrip|srt|ass|ssa|webvtt|hdmv_pgs_subtitle|dvd_subtitle|dvb_subtitle|hdmv_text_subtitle)$/,
  webm: /^webvtt$/,
  mov: /^mov_text$/,
}

/** Cover art that each container takes, by its codec. Matroska takes it as a file of any kind. */
const covers: Record<Container, RegExp | null> = {
  mp4: /^(mjpeg|png|bmp)$/,
  mkv: /^(mjpeg|png|gif|bmp|webp|tiff)$/,
  webm: null,
  mov: null,
}

/** Whether a container takes sound of a codec as it is. */
export function holdsSound(container: Container, codec: string): boolean {
  return sounds[container].test(codec)
}

/** Whether a container takes subtitles of a codec as they are. */
export function holdsSubtitle(container: Container, codec: string): boolean {
  return subtitles[container].test(codec)
}

/** Whether a container takes a picture of a codec as cover art. */
export function holdsCover(container: Container, codec: string): boolean {
  return covers[container]?.test(codec) ?? false
}

/** mp4 is mov with another brand. */
export function isMov(container: Container): boolean {
  return container === 'mp4' || container === 'mov'
}
