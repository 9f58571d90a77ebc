-- How a process is held together, what it may use, and what it left behind.

-- 'keep' or 'kill': what becomes of living descendants when the command has ended.
ALTER TABLE processes ADD COLUMN leftover_policy TEXT NOT NULL DEFAULT 'keep';
-- Living descendants of an ended process, when they were last counted.
ALTER TABLE processes ADD COLUMN leftover INTEGER NOT NULL DEFAULT 0;
-- Absolute path of the process's own cgroup (v2); NULL where it is held by session and cookie.
ALTER TABLE processes ADD COLUMN cgroup TEXT;
-- JSON object of the limits asked for; NULL where none were.
ALTER TABLE processes ADD COLUMN limits TEXT;
-- Session that the command began in; NULL in rows of older versions.
ALTER TABLE processes ADD COLUMN session_id INTEGER;
-- 1 while something of a process that is being ended cannot be ended (uninterruptible sleep).
ALTER TABLE processes ADD COLUMN stop_is_blocked INTEGER;
-- Figures of an ended process, where the kernel gave them.
ALTER TABLE processes ADD COLUMN cpu_ms INTEGER;
ALTER TABLE processes ADD COLUMN memory_peak_bytes INTEGER;

CREATE INDEX processes_leftover ON processes (sequence) WHERE leftover > 0;
