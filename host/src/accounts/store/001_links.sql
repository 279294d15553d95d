-- Who of one backend is which row of another.
CREATE TABLE links (
    backend TEXT NOT NULL,
    subject TEXT NOT NULL,
    target TEXT NOT NULL,
    -- NULL: the name was free, and the row is about to be made.
    target_id TEXT,
    -- The row's name, folded.
    username TEXT NOT NULL,
    -- The roles that the host gave, a JSON list.
    roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (backend, subject, target)
);
-- A row is one person's.
CREATE UNIQUE INDEX links_target_id ON links (target, target_id);
CREATE INDEX links_username ON links (target, username);
