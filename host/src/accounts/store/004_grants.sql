-- What users have agreed to: a client has tokens for one of them, and fetches new ones.
CREATE TABLE grants (
    -- Of the code, or of the device, that it began with.
    id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    -- Who it is for, as JSON.
    principal TEXT NOT NULL,
    -- Empty = the default audience.
    audience TEXT NOT NULL,
    -- How often it was refreshed, and when the last time was.
    generation BIGINT NOT NULL,
    advanced_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it ends, however often it is refreshed.
    ends_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX grants_ends ON grants (ends_at);
-- The tokens of a grant: a refresh token is used once, and followed by one of the next
-- generation.
CREATE TABLE refresh_tokens (
    -- SHA-256 in hexadecimal.
    hash TEXT NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- `jti` of the access token that came with it, and until when anybody takes that.
    access_id TEXT NOT NULL,
    access_until BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_access ON refresh_tokens (access_id);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_at);
-- Signed tokens that were given for a credential that lasts: they end with it.
CREATE TABLE derived (
    -- `jti`.
    id TEXT NOT NULL PRIMARY KEY,
    -- `token ID`, or `bot ID` for what was given for the bot's key.
    parent TEXT NOT NULL,
    -- When nobody takes it any more.
    until BIGINT NOT NULL
);
CREATE INDEX derived_parent ON derived (parent);
CREATE INDEX derived_until ON derived (until);
-- Devices that wait for their user (RFC 8628).
CREATE TABLE devices (
    -- SHA-256 of the device code, in hexadecimal.
    hash TEXT NOT NULL PRIMARY KEY,
    -- Without its hyphen.
    user_code TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    -- Empty = the default audience.
    audience TEXT NOT NULL,
    -- Where it was started, and the network that this counts for; empty = nobody knows.
    address TEXT NOT NULL,
    network TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Seconds between two polls, and the last of them.
    pause BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    -- `pending`, `granted`, `denied`.
    state TEXT NOT NULL,
    -- Who said yes, as JSON; empty before.
    principal TEXT NOT NULL
);
CREATE INDEX devices_expires ON devices (expires_at);
CREATE INDEX devices_network ON devices (network);
