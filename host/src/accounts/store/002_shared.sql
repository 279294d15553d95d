-- What hosts tell each other, in the order of `seq`.
CREATE TABLE changes (
    seq BIGINT NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);
-- What may be used once, such as a code: until it would not be good any more anyway.
CREATE TABLE used (
    id TEXT NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX used_until ON used (until);
-- What is refused though its signature holds: `token JTI`, `session ID`, `key KID`.
CREATE TABLE revoked (
    id TEXT NOT NULL PRIMARY KEY,
    -- NULL: for ever.
    until BIGINT,
    at BIGINT NOT NULL
);
CREATE INDEX revoked_until ON revoked (until);
-- Who does what one host does for all, and until when he has it.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);
-- Key rings: the index of each, its private keys sealed under the key-encryption key.
CREATE TABLE rings (
    name TEXT NOT NULL PRIMARY KEY,
    -- Grows by one with each change: who writes says which one he read.
    version BIGINT NOT NULL,
    content TEXT NOT NULL
);
-- Random values that all hosts share, made by the first that needs one.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE INDEX changes_at ON changes (at);
