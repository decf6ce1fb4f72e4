/** Reads `ffmpeg -encoders`: six columns of flags and a name, after a line of dashes. */
export function parseEncoders(text: string): Set<string> {
  return namesIn(text, /^ [VAS][F.][S.][X.][B.][D.] ([^\s=]+) /)
}

/** Reads `ffmpeg -filters`: three columns of flags up to 7.1 and two in 9.0, a name, and what goes in and out. */
export function parseFilters(text: string): Set<string> {
  return namesIn(text, /^ [T.][S.][C.]? (\S+) +[AVN|]+->[AVN|]+ /)
}

function namesIn(text: string, line: RegExp): Set<string> {
  return new Set(text.split(/\r?\n/).flatMap((each) => line.exec(each)?.[1] ?? []))
}
