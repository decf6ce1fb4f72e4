import * as v from 'valibot'
import { ProbeEvent } from '../contract/vulkan.ts'

/** Begins each line of a probe; the validation layer writes to the same stream. */
const mark = '@darkstream-vulkan '

/** An event as a line of its own, also after a line that somebody did not finish. */
export function eventLine(event: ProbeEvent): string {
  return `\n${mark}${JSON.stringify(event)}\n`
}

/** The events of a probe's standard output, and the lines that others wrote. A line that was cut off is left out. */
export function readEvents(output: string): { events: ProbeEvent[]; other_lines: string[] } {
  const lines = output.split(/\r?\n/)
  return {
    events: lines.filter((line) => line.startsWith(mark)).flatMap((line) => parsed(line.slice(mark.length))),
    other_lines: lines.filter((line) => !line.startsWith(mark) && line.trim() !== ''),
  }
}

function parsed(json: string): ProbeEvent[] {
  try {
    return [v.parse(ProbeEvent, JSON.parse(json))]
  } catch {
    return []
  }
}
