-- A worker that has room for small sources only is given a job that fits, however many too large ones stand before it.

-- Sources of about a size: by the length and the first two digits of their bytes as an octal number, so that the largest
-- of a class is at most an eighth larger than the smallest. One whose size is not known is in the class of the smallest.
ALTER TABLE jobs ADD COLUMN size_class INTEGER GENERATED ALWAYS AS
    (length(printf('%o', ifnull(source_size, 0))) * 100 + substr(printf('%o', ifnull(source_size, 0)), 1, 2)) VIRTUAL;
CREATE INDEX jobs_sizes ON jobs (size_class, priority DESC, created_at, not_before_ms)
    WHERE status = 'pending' AND refused_by IS NULL;
