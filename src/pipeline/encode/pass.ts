/** One of the two runs of ffmpeg by which an encoder looks at a film twice. */
export interface Pass {
  number: 1 | 2
  /** Where the first leaves for the second what it saw: the beginning of one or two files' names. */
  log_path: string
}
