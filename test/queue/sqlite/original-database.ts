import { Database } from 'bun:sqlite'

/** A row of the original's table of jobs, as go-sqlite3 writes it. */
export interface OriginalJob {
  id: string
  source_path: string
  output_path: string
  status: string
  worker_id: string | null
  started_at: string | null
  completed_at: string | null
  error_message: string | null
  retry_count: number | null
  max_retries: number | null
  source_duration: number | null
  output_size: number | null
  created_at: string
}

/** When the original was started the first, second and third time: each start adds every file again. */
export const starts = [
  '2025-11-07 20:56:59.123456789+00:00',
  '2025-11-08 08:00:00.5+00:00',
  '2025-11-09 09:30:00+02:00',
] as const
/** The same instants as our contract writes them. */
export const startsInUtc = ['2025-11-07T20:56:59.123Z', '2025-11-08T08:00:00.500Z', '2025-11-09T07:30:00.000Z'] as const

type Start = 0 | 1 | 2

/** The row that the original's nth start adds for a file; its id is the name and the second. */
export function originalJob(name: string, start: Start, changes: Partial<OriginalJob> = {}): OriginalJob {
  return {
    id: `${name}_${starts[start].replaceAll(/[-: ]/g, '').slice(0, 14)}`,
    source_path: `/in/${name}`,
    output_path: `/out/${name.slice(0, name.lastIndexOf('.'))}.mp4`,
    status: 'pending',
    worker_id: null,
    started_at: null,
    completed_at: null,
    error_message: null,
    retry_count: 0,
    max_retries: 3,
    source_duration: null,
    output_size: null,
    created_at: starts[start],
    ...changes,
  }
}

/** What the original leaves in a row once a worker has begun with it, and when it is done. */
export const began = { status: 'processing', worker_id: 'worker-1', started_at: '2025-11-07 21:00:00.000000001+00:00' }
export const done = {
  ...began,
  status: 'completed',
  completed_at: '2025-11-07 21:10:00.987654321+00:00',
  error_message: '',
  source_duration: 600.25,
  output_size: 5_000_000_000,
}
export const broken = { ...began, status: 'failed', error_message: 'exit status 1', retry_count: 2 }

/** The two bare tables with their indexes, word for word, and no mark of a version. */
const schema = `
    CREATE TABLE IF NOT EXISTS jobs (
        id TEXT PRIMARY KEY,
        source_path TEXT NOT NULL,
        output_path TEXT NOT NULL,
        status TEXT NOT NULL,
        worker_id TEXT,
        started_at TIMESTAMP,
        completed_at TIMESTAMP,
        error_message TEXT,
        retry_count INT DEFAULT 0,
        max_retries INT DEFAULT 3,
        source_duration REAL,
        output_size INT64,
        created_at TIMESTAMP NOT NULL
    );
    
    CREATE TABLE IF NOT EXISTS workers (
        id TEXT PRIMARY KEY,
        hostname TEXT NOT NULL,
        last_heartbeat TIMESTAMP,
        vulkan_available BOOLEAN,
        active_jobs INT DEFAULT 0,
        gpu_name TEXT,
        cpu_usage REAL,
        memory_usage REAL
    );
    
    CREATE INDEX IF NOT EXISTS idx_jobs_status ON jobs(status);
    CREATE INDEX IF NOT EXISTS idx_jobs_worker_id ON jobs(worker_id);
    CREATE INDEX IF NOT EXISTS idx_jobs_created_at ON jobs(created_at);
    `

/** Writes a database as the original leaves it, with these jobs and two workers, one of them with nothing but its name. */
export function writeOriginalDatabase(path: string, jobs: readonly OriginalJob[]): void {
  const db = new Database(path, { create: true, strict: true })
  db.run(schema)
  const insert = db.query(`INSERT INTO jobs VALUES ($id, $source_path, $output_path, $status, $worker_id, $started_at,
    $completed_at, $error_message, $retry_count, $max_retries, $source_duration, $output_size, $created_at)`)
  db.transaction(() => jobs.map((job) => insert.run({ ...job })))()
  db.run(`INSERT INTO workers VALUES
    ('worker-1', 'rack-1', '2025-11-07 21:10:05.25+01:00', 1, 3, 'a GPU', 12.5, 60),
    ('worker-2', 'rack-2', NULL, NULL, NULL, NULL, NULL, NULL)`)
  db.close()
}
