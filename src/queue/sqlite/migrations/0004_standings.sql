-- Jobs that a worker cannot do, and workers that fail at everything.

-- Lists of worker ids as JSON, sorted, or null for nobody: all that failed the job as one that they cannot do since it was
-- last queued afresh, and those of them that may not have it.
ALTER TABLE jobs ADD COLUMN failed_by TEXT;
ALTER TABLE jobs ADD COLUMN refused_by TEXT;
-- Since when such a job waits for another worker.
ALTER TABLE jobs ADD COLUMN refused_at_ms INTEGER;

-- Jobs that some worker may not have are in an index of their own, by who that is: a claim looks at the first job of each
-- such list, however many a worker has failed.
DROP INDEX jobs_pending;
CREATE INDEX jobs_pending ON jobs (priority DESC, created_at, not_before_ms)
    WHERE status = 'pending' AND refused_by IS NULL;
CREATE INDEX jobs_refused ON jobs (refused_by, priority DESC, created_at, not_before_ms)
    WHERE status = 'pending' AND refused_by IS NOT NULL;
CREATE INDEX jobs_offers ON jobs (refused_by, refused_at_ms) WHERE status = 'pending' AND refused_by IS NOT NULL;

-- A worker's newest failures since its last success, each of another job, in order; only the few that decide are kept.
-- `counts` is 0 where the job is held to be the cause.
CREATE TABLE worker_failures (
    number INTEGER PRIMARY KEY,
    worker_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    counts INTEGER NOT NULL,
    UNIQUE (worker_id, job_id)
);

-- Workers that have failed since their last success.
CREATE TABLE standings (
    worker_id TEXT PRIMARY KEY,
    -- Failures that count, in a row.
    failures INTEGER NOT NULL,
    -- The newest one's.
    reason TEXT NOT NULL,
    -- How often it was set aside for them, and until when, the last time.
    times INTEGER NOT NULL DEFAULT 0,
    set_aside_until_ms INTEGER
) WITHOUT ROWID;
