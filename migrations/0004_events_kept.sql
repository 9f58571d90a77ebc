-- Events are told again to who comes back, and ended processes are forgotten.

-- JSON of what never changes of a process: with the event that it was forgotten, since its row is gone then.
-- NULL with every other event.
ALTER TABLE events ADD COLUMN process TEXT;

CREATE INDEX events_forgotten ON events (sequence) WHERE type = 'forgotten';
CREATE INDEX events_forgotten_by_process ON events (process_id) WHERE type = 'forgotten';

-- Stops of before 0003 do not say whether they are blocked.
UPDATE events SET state = json_set(state, '$.stop.isBlocked', json('false'))
WHERE type = 'stopping' AND json_extract(state, '$.stop.isBlocked') IS NULL;

-- One row.
CREATE TABLE event_horizon (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	-- The highest number of all events that are no longer kept; 0 while all are.
	sequence INTEGER NOT NULL
) STRICT;

INSERT INTO event_horizon (id, sequence) VALUES (1, 0);

-- JSON array of the process's events. An index of the events would be one more page to write for each.
ALTER TABLE processes ADD COLUMN event_sequences TEXT NOT NULL DEFAULT '[]';

CREATE INDEX events_by_process ON events (process_id);
UPDATE processes SET event_sequences = (
	SELECT json_group_array(sequence) FROM events WHERE events.process_id = processes.process_id
);
DROP INDEX events_by_process;

-- Bytes on disk of what an ended process has written; NULL until they are counted.
ALTER TABLE processes ADD COLUMN output_bytes INTEGER;

CREATE INDEX processes_ended ON processes (ended_at, sequence, output_bytes) WHERE status = 'ended';
