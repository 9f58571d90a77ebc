-- One row a change of state, written in the transaction that made it true.
CREATE TABLE events (
	-- Rises from event to event; never used twice.
	sequence INTEGER PRIMARY KEY AUTOINCREMENT,
	-- Milliseconds since 1970.
	at INTEGER NOT NULL,
	type TEXT NOT NULL,
	process_id TEXT NOT NULL,
	-- JSON of the process's state right after the change; what never changes stands in processes.
	state TEXT NOT NULL
) STRICT;
