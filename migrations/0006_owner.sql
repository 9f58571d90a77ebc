-- Who started a process: the subject of the token it was started with, or what the library was told; NULL for nobody.
ALTER TABLE processes ADD COLUMN owner TEXT;

CREATE INDEX processes_by_owner ON processes (owner, sequence) WHERE owner IS NOT NULL;
