-- Results that took their sources' places: what was moved where, noted before it is moved.
CREATE TABLE replacements (
    job_id TEXT NOT NULL REFERENCES jobs(id),
    attempt INTEGER NOT NULL,
    -- swapping, kept, undoing, undone or gone.
    state TEXT NOT NULL,
    original_path TEXT NOT NULL,
    original_size INTEGER NOT NULL,
    original_mtime_ms INTEGER NOT NULL,
    kept_path TEXT NOT NULL,
    staged_path TEXT NOT NULL,
    result_path TEXT NOT NULL,
    result_size INTEGER NOT NULL,
    result_mtime_ms INTEGER NOT NULL,
    -- For how long the original is kept from then on; 0 for ever.
    keep_ms INTEGER NOT NULL,
    replaced_at_ms INTEGER,
    kept_until_ms INTEGER,
    PRIMARY KEY (job_id, attempt)
) WITHOUT ROWID;

-- By its size and time a file that a scan finds is known as a result.
CREATE INDEX replacements_results ON replacements (result_size, result_mtime_ms);
CREATE INDEX replacements_due ON replacements (kept_until_ms) WHERE state = 'kept' AND kept_until_ms IS NOT NULL;
CREATE INDEX replacements_undoing ON replacements (job_id) WHERE state = 'undoing';

-- Originals that are kept aside, and their bytes: one row, so that asking costs the same however many there are.
CREATE TABLE kept_originals (files INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO kept_originals VALUES (0, 0);
CREATE TRIGGER replacements_count AFTER UPDATE OF state ON replacements BEGIN
    UPDATE kept_originals SET files = files - 1, bytes = bytes - old.original_size WHERE old.state IN ('kept', 'undoing');
    UPDATE kept_originals SET files = files + 1, bytes = bytes + new.original_size WHERE new.state IN ('kept', 'undoing');
END;
