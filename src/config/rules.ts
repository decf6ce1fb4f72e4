import { audioConflict, videoConflict } from '../contract/conversion.ts'
import { formatBitrate, formatDurationText } from './quantities.ts'
import { accessRules } from './access-rules.ts'
import { pathRules } from './path-rules.ts'
import type { Rule } from './rule.ts'

/** What must hold between keys, beyond each one's own rule. */
export const rules: readonly Rule[] = [
  ...accessRules,
  ...pathRules,
  {
    keys: ['conversion.container', 'conversion.codec'],
    conflict({ conversion }) {
      const reason = videoConflict(conversion)
      return reason && `${reason} (conversion.container with conversion.codec)`
    },
  },
  {
    keys: ['conversion.container', 'conversion.audio_codec'],
    conflict({ conversion }) {
      const reason = audioConflict(conversion)
      return reason && `${reason} (conversion.container with conversion.audio_codec)`
    },
  },
  {
    // A quality has no mean that a bound could lie below.
    keys: ['conversion.max_bitrate', 'conversion.bitrate', 'conversion.quality'],
    conflict({ conversion: { max_bitrate: most, bitrate, quality } }) {
      if (most === null || quality !== null || most >= bitrate) return undefined
      const least = formatBitrate(bitrate)
      return `expected conversion.max_bitrate to be at least conversion.bitrate (${least}), found ${formatBitrate(most)}`
    },
  },
  {
    keys: ['conversion.two_pass', 'conversion.quality'],
    conflict({ conversion: { two_pass, quality } }) {
      if (!two_pass || quality === null) return undefined
      return `expected conversion.two_pass to be false with conversion.quality (${quality}): two passes hold a bitrate, and a quality has none`
    },
  },
  {
    keys: ['replace.enabled', 'conversion.overwrite'],
    conflict({ replace, conversion }) {
      if (!replace.enabled || !conversion.overwrite) return undefined
      return 'expected conversion.overwrite to be false with replace.enabled: true, which replaces nothing but the source itself'
    },
  },
  {
    keys: ['ffmpeg.gpu', 'ffmpeg.use_vulkan'],
    conflict({ ffmpeg }) {
      if (ffmpeg.gpu !== 'require' || ffmpeg.use_vulkan) return undefined
      return 'expected ffmpeg.use_vulkan to be true with ffmpeg.gpu: require, found false, which means gpu: off'
    },
  },
  {
    keys: ['queue.max_retry_delay', 'queue.retry_delay'],
    conflict({ queue }) {
      if (queue.max_retry_delay >= queue.retry_delay) return undefined
      const least = formatDurationText(queue.retry_delay)
      return `expected queue.max_retry_delay to be at least queue.retry_delay (${least}), found ${formatDurationText(queue.max_retry_delay)}`
    },
  },
  {
    // The two may belong to different hosts, so one of them alone proves nothing.
    keys: ['worker.heartbeat_interval', 'queue.worker_timeout'],
    conflict({ worker, queue }, { isSet }) {
      if (!isSet('worker.heartbeat_interval') || !isSet('queue.worker_timeout')) return undefined
      if (worker.heartbeat_interval < queue.worker_timeout) return undefined
      const most = formatDurationText(queue.worker_timeout)
      return `expected worker.heartbeat_interval to be shorter than queue.worker_timeout (${most}), found ${formatDurationText(worker.heartbeat_interval)}`
    },
  },
]
