-- Jobs that are not to be converted, and what conversions were made from. What was there before knows none of it: null.

ALTER TABLE jobs ADD COLUMN skip_reason TEXT;
ALTER TABLE jobs ADD COLUMN profile TEXT;
-- JSON of the contract's SourceFacts, PictureScore, and ConversionSettings: those by which it was completed or skipped.
ALTER TABLE jobs ADD COLUMN source_facts TEXT;
ALTER TABLE jobs ADD COLUMN score TEXT;
ALTER TABLE jobs ADD COLUMN converted_with TEXT;

-- The triggers on jobs count under whatever the state is called.
INSERT INTO counters (state) VALUES ('skipped');
