-- Events are told again to who comes back, and ended processes are forgotten.

-- JSON of what never changes of a process: with the event that it was forgotten, since its row is gone then.
-- NULL with every other event.
ALTER TABLE events ADD COLUMN process TEXT;

CREATE INDEX events_by_process ON events (process_id);
CREATE INDEX events_forgotten ON events (sequence) WHERE type = 'forgotten';

-- One row.
CREATE TABLE event_horizon (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	-- The highest number of all events that are no longer kept; 0 while all are.
	sequence INTEGER NOT NULL
) STRICT;

INSERT INTO event_horizon (id, sequence) VALUES (1, 0);

-- Bytes on disk of what an ended process has written; NULL until they are counted.
ALTER TABLE processes ADD COLUMN output_bytes INTEGER;

CREATE INDEX processes_ended ON processes (ended_at, sequence, output_bytes) WHERE status = 'ended';
CREATE INDEX processes_uncounted ON processes (sequence) WHERE status = 'ended' AND output_bytes IS NULL;

-- Stops of before 0003 do not say whether they are blocked.
UPDATE events SET state = json_set(state, '$.stop.isBlocked', json('false'))
WHERE type = 'stopping' AND json_extract(state, '$.stop.isBlocked') IS NULL;
