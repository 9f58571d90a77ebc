-- Standard input, and when a process could do what it was started for.

-- 1: a pipe that others write into; 0: empty.
ALTER TABLE processes ADD COLUMN stdin INTEGER NOT NULL DEFAULT 0;
-- JSON object of how it shows that it is ready; NULL where nobody watches.
ALTER TABLE processes ADD COLUMN ready TEXT;
-- Milliseconds since 1970: seen ready, or given up. At most one of them.
ALTER TABLE processes ADD COLUMN ready_at INTEGER;
ALTER TABLE processes ADD COLUMN ready_timed_out_at INTEGER;
