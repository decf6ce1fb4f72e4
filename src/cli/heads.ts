import type { ArgsDef } from 'citty'
import { asking, config, conversion, jobIds, json, logging, trusting } from './flag-groups.ts'

/** What is known of a command without loading it: enough for `--help` and for refusing wrong usage. */
export interface CommandHead {
  description: string
  args: ArgsDef
  /** Command lines as a person would type them. */
  examples: readonly string[]
  /** Whether more positional arguments than `args` names are welcome. */
  takesMore?: true
}

/** Every command, in the order of `--help`. */
export const heads = {
  start: {
    description: 'Convert a folder on this machine, with nothing to set up',
    args: {
      source: { type: 'positional', required: true, description: 'Folder with the videos; it is only read' },
      output: { type: 'positional', required: true, description: 'Folder for the results' },
      once: { type: 'boolean', description: 'End when everything is converted, instead of waiting for new files' },
      'dry-run': { type: 'boolean', description: 'Show what would be done with each file, with totals; write nothing' },
      concurrency: {
        type: 'string',
        valueHint: 'n',
        description: 'Conversions at the same time (default: one per four cores)',
      },
      ...conversion,
      port: {
        type: 'string',
        valueHint: 'port',
        description: 'Port of the API on 127.0.0.1 (default: 8080, or a free one)',
      },
      ...config,
      ...logging,
      json: { type: 'boolean', description: 'With --dry-run: print JSON for programs' },
    },
    examples: [
      'darkstream start ~/Videos ~/Converted --once',
      'darkstream start ~/Videos ~/Converted --dry-run',
      'darkstream start /srv/in /srv/out --codec hevc --resolution 1280x720 --concurrency 2',
    ],
  },
  master: {
    description: 'Scan the storage, keep the queue, serve the API',
    args: {
      ...config,
      host: { type: 'string', valueHint: 'address', description: 'Address to listen on (default: 0.0.0.0)' },
      port: { type: 'string', valueHint: 'port', description: 'Port to listen on, 0 for any free one (default: 8080)' },
      insecure: { type: 'boolean', description: 'Answer everybody who can reach the port, without a token' },
      'self-signed': {
        type: 'boolean',
        description: 'TLS with a certificate made at the first start; it prints its pin',
      },
      ...logging,
    },
    examples: ['darkstream master --config config.yaml', 'darkstream master --config config.yaml --self-signed'],
  },
  worker: {
    description: 'Claim jobs from a master and convert them',
    args: {
      ...config,
      'master-url': {
        type: 'string',
        valueHint: 'url',
        description: 'Where the master is (default: http://localhost:8080)',
      },
      master: { type: 'string', valueHint: 'url', description: 'The same, as in the line that a master prints' },
      token: { type: 'string', valueHint: 'token', description: "Token that the master's line has" },
      ...trusting,
      id: { type: 'string', valueHint: 'name', description: 'Name of this worker (default: the host name)' },
      concurrency: {
        type: 'string',
        valueHint: 'n',
        description: 'Conversions at the same time (default: one per four cores)',
      },
      ...logging,
    },
    examples: [
      'darkstream worker --master http://storage-server:8080 --token dsw_...',
      'darkstream worker --config config.yaml --concurrency 4',
    ],
  },
  status: {
    description: 'Show how far the conversion is',
    args: { ...asking, ...json },
    examples: ['darkstream status --master-url http://storage-server:8080', 'darkstream status --json'],
  },
  stats: {
    description: 'Show detailed figures: sizes, rates, what it ran on, scan, failures',
    args: { ...asking, ...json },
    examples: ['darkstream stats', 'darkstream stats --json'],
  },
  jobs: {
    description: 'List jobs, or show one with its attempts',
    args: {
      job_id: { type: 'positional', required: false, description: 'Id of the job to show in full' },
      status: {
        type: 'string',
        valueHint: 'state',
        description: 'Only pending, processing, completed, failed, cancelled or skipped',
      },
      worker: { type: 'string', valueHint: 'id', description: 'Only jobs of this worker' },
      search: { type: 'string', valueHint: 'text', description: 'Only sources whose path contains this' },
      limit: { type: 'string', valueHint: 'n', description: 'Jobs at most, 1 to 1000 (default: 50)' },
      after: { type: 'string', valueHint: 'next', description: 'Go on where an earlier list ended' },
      ...asking,
      ...json,
    },
    examples: [
      'darkstream jobs --status failed',
      'darkstream jobs --search holiday --limit 10',
      'darkstream jobs 1f6f2a...',
    ],
  },
  workers: {
    description: 'List the workers, or show one with its GPUs: what they proved, and how fast they were',
    args: {
      worker_id: {
        type: 'positional',
        required: false,
        description: 'Id of the worker to show in full; resume with ids after it lets those work again at once',
      },
      'active-only': { type: 'boolean', description: 'Only those that were heard from lately' },
      ...asking,
      ...json,
    },
    examples: [
      'darkstream workers',
      'darkstream workers worker-1',
      'darkstream workers --active-only --json',
      'darkstream workers resume worker-1',
    ],
    takesMore: true,
  },
  retry: {
    description: 'Send failed jobs back to the queue',
    args: {
      job_id: {
        type: 'positional',
        required: false,
        description: 'Ids of the jobs; without any the oldest failed ones, up to --limit',
      },
      limit: { type: 'string', valueHint: 'n', description: 'Without ids: jobs at most, oldest first (default: 100)' },
      ...asking,
    },
    examples: ['darkstream retry --limit 100', 'darkstream retry 1f6f2a... 0c11d8...'],
    takesMore: true,
  },
  requeue: {
    description: 'Convert finished, failed, cancelled or skipped jobs again from the start',
    args: {
      job_id: { type: 'positional', required: false, description: 'Ids of jobs, as `darkstream jobs` shows them' },
      changed: {
        type: 'boolean',
        description:
          'Instead of ids: all completed and skipped jobs that settings and profiles of today treat otherwise',
      },
      'dry-run': { type: 'boolean', description: 'With --changed: only tell which and why' },
      ...json,
      ...asking,
    },
    examples: ['darkstream requeue 1f6f2a...', 'darkstream requeue --changed --dry-run'],
    takesMore: true,
  },
  undo: {
    description: 'Put the originals of replaced jobs back, and leave those alone from then on',
    args: { ...jobIds, ...asking },
    examples: ['darkstream undo 1f6f2a...'],
    takesMore: true,
  },
  cancel: {
    description: 'Cancel jobs; a running one is stopped within two seconds',
    args: { ...jobIds, ...asking },
    examples: ['darkstream cancel 1f6f2a...'],
    takesMore: true,
  },
  backup: {
    description: "Copy the master's database, also while it runs; to be called on the master's machine",
    args: {
      file: { type: 'positional', required: true, description: 'File for the copy; it must not be there yet' },
      ...config,
      ...json,
    },
    examples: [
      'darkstream backup /srv/backup/jobs.db --config config.yaml',
      'darkstream backup "/srv/backup/jobs-$(date +%F).db" --json',
    ],
  },
  detect: {
    description: 'Show the GPUs of this machine, try what it can convert, measure how fast',
    args: {
      quick: { type: 'boolean', description: 'Show what was tried and measured before, try only what was not' },
      ...config,
      ...json,
    },
    examples: ['darkstream detect', 'darkstream detect --quick --json'],
  },
  token: {
    description: "Make, list or revoke tokens of a queue; to be called on the master's machine",
    args: {
      action: { type: 'positional', required: true, description: 'create worker|admin|read, list, or revoke ID...' },
      name: { type: 'string', valueHint: 'text', description: 'With create: whose it is' },
      ...config,
      ...json,
    },
    examples: [
      'darkstream token create worker --name "render farm" --config config.yaml',
      'darkstream token list --config config.yaml',
      'darkstream token revoke 1a2b3c4d --config config.yaml',
    ],
    takesMore: true,
  },
  init: {
    description: 'Write a commented configuration file, after a few questions',
    args: {
      file: { type: 'positional', required: false, description: 'File to write (default: config.yaml here)' },
      yes: { type: 'boolean', description: 'Ask nothing, take the defaults' },
    },
    examples: ['darkstream init', 'darkstream init /etc/darkstream/config.yaml --yes'],
  },
  service: {
    description: 'Make the master or a worker a service of this machine: systemd, or launchd on macOS',
    args: {
      action: { type: 'positional', required: true, description: 'install, also over an earlier one, or uninstall' },
      role: { type: 'positional', required: true, description: 'master or worker' },
      config: {
        type: 'string',
        valueHint: 'file',
        description:
          'Configuration file (default: as installed before, else config.yaml here, else /etc/darkstream/config.yaml)',
      },
      user: {
        type: 'string',
        valueHint: 'name',
        description: 'Account to run as, made if need be (default: as installed before, else darkstream)',
      },
      print: { type: 'boolean', description: 'Print the unit instead, and change nothing' },
    },
    examples: [
      'sudo darkstream service install master --config /etc/darkstream/config.yaml',
      'darkstream service install worker --config /etc/darkstream/config.yaml --print',
      'sudo darkstream service uninstall worker',
    ],
  },
  plan: {
    description: 'Show what would be done with a file and why, stream by stream; nothing is done',
    args: {
      file: { type: 'positional', required: true, description: 'A video file' },
      ...config,
      ...conversion,
      ...json,
    },
    examples: ['darkstream plan film.mkv', 'darkstream plan film.mkv --config config.yaml --json'],
  },
  config: {
    description: 'Check a configuration file, or show the effective settings',
    args: {
      action: {
        type: 'positional',
        required: true,
        description: 'check (ends with 2 for a wrong file, warnings or not with 0) or show',
      },
      file: { type: 'positional', required: false, description: 'Configuration file' },
      for: {
        type: 'string',
        valueHint: 'role',
        description: 'With check: master or worker; ends with 1 where that would not start on this host',
      },
      ...config,
      ...json,
    },
    examples: [
      'darkstream config check config.yaml',
      'darkstream config check config.yaml --for master',
      'darkstream config show --config config.yaml',
    ],
  },
} as const satisfies Record<string, CommandHead>

/** What the program asks of itself in a child; in no help. */
const innerHeads = {
  'probe-vulkan': {
    description: 'Ask the Vulkan drivers in this very process; what detect starts',
    args: { validate: { type: 'boolean', description: 'Load the validation layer' } },
    examples: ['darkstream probe-vulkan'],
  },
  'watch-gpus': {
    description: 'Write how busy GPUs are, again and again; what a worker starts',
    args: {
      gpu: { type: 'positional', required: true, description: 'PCI address, vendor and id of a GPU, or of several' },
      interval: { type: 'string', valueHint: 'duration', description: 'Time between two looks (default: 2s)' },
    },
    examples: ['darkstream watch-gpus 0000:01:00.0=10de=vulkan:0'],
    takesMore: true,
  },
} as const satisfies Record<string, CommandHead>

export type CommandName = keyof typeof heads | keyof typeof innerHeads

/** The head of any command. */
export function headOf(name: CommandName): CommandHead {
  return { ...heads, ...innerHeads }[name]
}

/** Whether a text is the name of a command. */
export function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && (Object.hasOwn(heads, name) || Object.hasOwn(innerHeads, name))
}
