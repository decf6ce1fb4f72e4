import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pictureSubtitles } from './bytes.ts'

/** What recipes read besides ffmpeg's own sources, by file name. */
const materials: Record<string, string | Uint8Array> = {
  'words.srt': [
    '1\n00:00:00,200 --> 00:00:00,600\nHello, wörld <i>italic</i>\n',
    '2\n00:00:00,700 --> 00:00:01,100\n日本語 — עברית\n',
  ].join('\n'),
  'words.vtt': [
    'WEBVTT\n',
    '00:00:00.200 --> 00:00:00.600\nHello, wörld <i>italic</i>\n',
    '00:00:00.700 --> 00:00:01.100\n日本語 — עברית\n',
  ].join('\n'),
  'words.ass': `[Script Info]
ScriptType: v4.00+
PlayResX: 256
PlayResY: 128

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Sans,14,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.20,0:00:00.90,Default,,0,0,0,,{\\pos(128,64)\\b1}Styled{\\b0}
`,
  'chapters.txt': `;FFMETADATA1
title=A film with = ünïcode
[CHAPTER]
TIMEBASE=1/1000
START=0
END=600
title=One
[CHAPTER]
TIMEBASE=1/1000
START=600
END=1200
title=Two, the "second"
`,
  // No font, but attachments are only bytes to all who carry them.
  'letters.ttf': Buffer.alloc(2048, 'font'),
  'words.sup': pictureSubtitles(256, 128),
}

/** Writes them all into a folder. */
export function writeMaterials(folder: string): void {
  for (const [name, content] of Object.entries(materials)) writeFileSync(join(folder, name), content)
}
