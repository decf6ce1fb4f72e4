-- What conversions ran on, and what workers tell of their GPUs. What was there before knows neither: null.

-- JSON of the contract's RanOn.
ALTER TABLE jobs ADD COLUMN ran_on TEXT;
ALTER TABLE attempts ADD COLUMN ran_on TEXT;

-- Percent, and JSON of the contract's GpuReport, as the newest heartbeat told.
ALTER TABLE workers ADD COLUMN gpu_usage REAL;
ALTER TABLE workers ADD COLUMN gpu_report TEXT;

-- Completions by what they ran on, counted as they happen: one row a path, so that asking never reads the jobs.
CREATE TABLE paths (
    decode TEXT NOT NULL,
    filter TEXT NOT NULL,
    encoder TEXT NOT NULL,
    -- Null when nothing ran on a GPU; never empty, since the index below takes both for one.
    device TEXT,
    jobs INTEGER NOT NULL,
    fell_back INTEGER NOT NULL,
    last_reason TEXT
);
-- Two nulls are different in a unique index, two empty texts are not.
CREATE UNIQUE INDEX paths_key ON paths (decode, filter, encoder, ifnull(device, ''));
-- However many paths there are, the first few are read and no more.
CREATE INDEX paths_order ON paths (jobs DESC);
