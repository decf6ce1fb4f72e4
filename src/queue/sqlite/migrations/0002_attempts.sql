-- Claims with attempt numbers and leases, priorities, retries by time, fingerprints of sources, counters by state.

ALTER TABLE jobs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 5;
ALTER TABLE jobs ADD COLUMN source_size INTEGER;
ALTER TABLE jobs ADD COLUMN source_mtime_ms INTEGER;
ALTER TABLE jobs ADD COLUMN error_class TEXT;
ALTER TABLE jobs ADD COLUMN retry_at_ms INTEGER;
ALTER TABLE jobs ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
-- Pending jobs are not handed out before this instant.
ALTER TABLE jobs ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN lease_expires_ms INTEGER;
ALTER TABLE jobs ADD COLUMN claim_request_id TEXT;
-- Claims in a row that ended with a lost worker.
ALTER TABLE jobs ADD COLUMN lost_count INTEGER NOT NULL DEFAULT 0;
-- Set while a result is on its way from its staging path to its output path: its size in bytes.
ALTER TABLE jobs ADD COLUMN publish_size INTEGER;
-- By these the file at the output path is known as ours: its bytes, -1 where a worker of the original's kind may have
-- written anything, and its time in milliseconds UTC, null for any.
ALTER TABLE jobs ADD COLUMN published_size INTEGER;
ALTER TABLE jobs ADD COLUMN published_mtime_ms INTEGER;
-- The original added a file again at every start; all but one of such rows stay as history under the id of the one that counts.
ALTER TABLE jobs ADD COLUMN duplicate_of TEXT;

ALTER TABLE workers ADD COLUMN status TEXT NOT NULL DEFAULT 'healthy';
ALTER TABLE workers ADD COLUMN boot_id TEXT;

-- How each claim ended. The newest of a job is the one that its row tells of.
CREATE TABLE attempts (
    job_id TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    worker_id TEXT,
    started_at TEXT,
    ended_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error_message TEXT,
    error_class TEXT,
    step TEXT,
    command TEXT NOT NULL DEFAULT '[]',
    stderr_tail TEXT NOT NULL DEFAULT '',
    exit_code INTEGER,
    PRIMARY KEY (job_id, attempt)
) WITHOUT ROWID;

-- The original's rows: its times (Go's, with a zone and nine digits; without the zone where SQLite cannot read it) become
-- RFC 3339 UTC; what is no time stays as it is.
UPDATE jobs SET id = 'original-' || rowid WHERE id IS NULL OR id = '';
UPDATE jobs SET
    status = CASE WHEN status IN ('pending', 'processing', 'completed', 'failed') THEN status ELSE 'failed' END,
    created_at = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', created_at),
        strftime('%Y-%m-%dT%H:%M:%fZ', substr(created_at, 1, 19)), created_at),
    started_at = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', nullif(started_at, '')),
        strftime('%Y-%m-%dT%H:%M:%fZ', substr(started_at, 1, 19)), nullif(started_at, '')),
    completed_at = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', nullif(completed_at, '')),
        strftime('%Y-%m-%dT%H:%M:%fZ', substr(completed_at, 1, 19)), nullif(completed_at, '')),
    worker_id = nullif(worker_id, ''),
    error_message = nullif(error_message, ''),
    retry_count = coalesce(retry_count, 0),
    max_retries = coalesce(max_retries, 3);
-- Its workers wrote to the output path itself: whatever lies there of a job that was begun is ours.
UPDATE jobs SET published_size = -1
    WHERE status IN ('completed', 'processing') OR started_at IS NOT NULL;
UPDATE workers SET last_heartbeat = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', last_heartbeat), last_heartbeat);

-- Without these two the statements below would compare each row with every other.
CREATE INDEX jobs_by_source ON jobs (source_path);
CREATE INDEX jobs_outputs ON jobs (output_path COLLATE NOCASE);

-- Of several rows for one source the furthest along counts, the newest of equals.
UPDATE jobs SET duplicate_of = (
    SELECT best.id FROM jobs best WHERE best.source_path = jobs.source_path
    ORDER BY instr('pending    failed     processing completed', best.status) DESC, best.created_at DESC, best.id DESC LIMIT 1
);
UPDATE jobs SET duplicate_of = NULL WHERE duplicate_of = id;
UPDATE jobs SET status = 'cancelled', error_message = 'duplicate of job ' || duplicate_of
    WHERE duplicate_of IS NOT NULL AND status IN ('pending', 'processing');

-- Of several jobs that claim one output the completed one keeps it, else the one being processed, else the oldest. The
-- others get the source's extension into the name (a.mov -> a.mov.mp4): cutting the trailing run of characters other than
-- dots leaves all up to the last dot.
UPDATE jobs SET output_path = substr(output_path, 1, length(output_path) - length('.mp4')) || '.'
        || substr(source_path, length(rtrim(source_path, replace(source_path, '.', ''))) + 1) || '.mp4'
    WHERE duplicate_of IS NULL AND status <> 'completed' AND EXISTS (
        SELECT 1 FROM jobs other WHERE other.output_path = jobs.output_path COLLATE NOCASE AND other.duplicate_of IS NULL
            AND (-instr('processing completed', other.status), other.rowid)
                < (-instr('processing completed', jobs.status), jobs.rowid));
-- A name that was made so may be that of a third (a.mov.avi -> a.mov.mp4): then a number that no other row has goes in.
UPDATE jobs SET output_path = substr(output_path, 1, length(output_path) - length('.mp4'))
        || printf('.%08x', rowid) || '.mp4'
    WHERE duplicate_of IS NULL AND status <> 'completed' AND EXISTS (
        SELECT 1 FROM jobs other WHERE other.output_path = jobs.output_path COLLATE NOCASE AND other.duplicate_of IS NULL
            AND (-instr('processing completed', other.status), other.rowid)
                < (-instr('processing completed', jobs.status), jobs.rowid));

-- The claim names jobs_pending itself: given the choice, SQLite takes the index on status and sorts a million rows.
CREATE INDEX jobs_pending ON jobs (priority DESC, created_at, not_before_ms) WHERE status = 'pending';
CREATE INDEX jobs_leases ON jobs (lease_expires_ms) WHERE status = 'processing';
CREATE INDEX jobs_retries ON jobs (retry_at_ms) WHERE status = 'failed' AND retry_at_ms IS NOT NULL;
CREATE INDEX jobs_completions ON jobs (completed_at) WHERE status = 'completed';
CREATE UNIQUE INDEX jobs_sources ON jobs (source_path) WHERE duplicate_of IS NULL;
DROP INDEX jobs_by_source;
DROP INDEX IF EXISTS idx_jobs_status;
DROP INDEX IF EXISTS idx_jobs_worker_id;
DROP INDEX IF EXISTS idx_jobs_created_at;
CREATE INDEX idx_jobs_status ON jobs (status, created_at);
CREATE INDEX idx_jobs_worker_id ON jobs (worker_id, created_at) WHERE worker_id IS NOT NULL;
CREATE INDEX idx_jobs_created_at ON jobs (created_at);

-- Counters by state: one row a state, so that asking costs the same at ten jobs and at ten million.
-- Failed jobs that will be retried by themselves are counted apart.
CREATE TABLE counters (
    state TEXT PRIMARY KEY,
    jobs INTEGER NOT NULL DEFAULT 0,
    source_bytes INTEGER NOT NULL DEFAULT 0,
    output_bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO counters (state) VALUES ('pending'), ('processing'), ('completed'), ('failed'), ('awaiting_retry'), ('cancelled');
UPDATE counters SET
    jobs = (SELECT count(*) FROM jobs WHERE status = state),
    output_bytes = (SELECT coalesce(sum(output_size), 0) FROM jobs WHERE status = state);

CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs BEGIN
    UPDATE counters SET jobs = jobs + 1, source_bytes = source_bytes + coalesce(new.source_size, 0),
        output_bytes = output_bytes + coalesce(new.output_size, 0)
        WHERE state = iif(new.status = 'failed' AND new.retry_at_ms IS NOT NULL, 'awaiting_retry', new.status);
END;
CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs BEGIN
    UPDATE counters SET jobs = jobs - 1, source_bytes = source_bytes - coalesce(old.source_size, 0),
        output_bytes = output_bytes - coalesce(old.output_size, 0)
        WHERE state = iif(old.status = 'failed' AND old.retry_at_ms IS NOT NULL, 'awaiting_retry', old.status);
END;
CREATE TRIGGER jobs_count_update AFTER UPDATE OF status, retry_at_ms, source_size, output_size ON jobs BEGIN
    UPDATE counters SET jobs = jobs - 1, source_bytes = source_bytes - coalesce(old.source_size, 0),
        output_bytes = output_bytes - coalesce(old.output_size, 0)
        WHERE state = iif(old.status = 'failed' AND old.retry_at_ms IS NOT NULL, 'awaiting_retry', old.status);
    UPDATE counters SET jobs = jobs + 1, source_bytes = source_bytes + coalesce(new.source_size, 0),
        output_bytes = output_bytes + coalesce(new.output_size, 0)
        WHERE state = iif(new.status = 'failed' AND new.retry_at_ms IS NOT NULL, 'awaiting_retry', new.status);
END;
