-- One row a process, kept from its acceptance until it is forgotten. Environment values are not
-- here: they stand in the process's specification file alone.
CREATE TABLE processes (
	-- Order of acceptance; never used twice.
	sequence INTEGER PRIMARY KEY AUTOINCREMENT,
	process_id TEXT NOT NULL UNIQUE,
	execution_id TEXT NOT NULL,
	name TEXT,
	command TEXT NOT NULL,
	-- JSON array of strings; NULL for a shell line.
	args TEXT,
	working_dir TEXT NOT NULL,
	-- Milliseconds; 0 is no limit.
	timeout_ms INTEGER NOT NULL,
	-- Milliseconds since 1970; so are started_at and ended_at.
	created_at INTEGER NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'stopping', 'ended')),
	-- The documented status that follows from the state, for filters.
	public_status TEXT NOT NULL CHECK (public_status IN ('queued', 'running', 'completed', 'failed', 'killed')),

	-- From the start on. Boot id, pid and start ticks (1/100 s since boot) are the only safe name of a process.
	boot_id TEXT,
	pid INTEGER,
	start_ticks INTEGER,
	shim_pid INTEGER,
	started_at INTEGER,

	-- While it is being ended. Uptime is milliseconds since boot.
	stop_reason TEXT,
	stop_uptime_ms INTEGER,
	stop_grace_period_ms INTEGER,
	-- 1 once SIGTERM was sent.
	stop_is_signaled INTEGER,

	-- Once it has ended. What cannot be known is NULL.
	ended_at INTEGER,
	duration_ms INTEGER,
	end_reason TEXT,
	exit_code INTEGER,
	signal TEXT,
	message TEXT
) STRICT;

CREATE INDEX processes_open ON processes (sequence) WHERE status <> 'ended';
CREATE INDEX processes_by_status ON processes (public_status, sequence);
CREATE INDEX processes_by_name ON processes (name, sequence) WHERE name IS NOT NULL;

-- A start that is repeated with its key gives the first one's process.
CREATE TABLE idempotency_keys (
	key TEXT PRIMARY KEY,
	-- SHA-256 of the request, to tell a repetition from a mistake.
	fingerprint TEXT NOT NULL,
	process_id TEXT NOT NULL REFERENCES processes (process_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_process ON idempotency_keys (process_id);
