-- Attempts that a later one of their job has followed: only these may be removed, so that the newest of a job always stays.
ALTER TABLE attempts ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET superseded = 1
    WHERE attempt < (SELECT max(attempt) FROM attempts newer WHERE newer.job_id = attempts.job_id);

-- What is old enough to go is found without a look at the newest attempts, of which there is one for each job.
CREATE INDEX attempts_superseded ON attempts (ended_at) WHERE superseded = 1;

CREATE TRIGGER attempts_supersede AFTER INSERT ON attempts BEGIN
    UPDATE attempts SET superseded = 1 WHERE job_id = new.job_id
        AND attempt = (SELECT max(attempt) FROM attempts WHERE job_id = new.job_id AND attempt < new.attempt);
END;
