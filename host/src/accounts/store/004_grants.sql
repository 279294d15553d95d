-- Refresh tokens: each is used once, and followed by the next of its family.
CREATE TABLE refresh_tokens (
    -- SHA-256 in hexadecimal.
    hash TEXT NOT NULL PRIMARY KEY,
    family TEXT NOT NULL,
    client TEXT NOT NULL,
    -- Who it is for, as JSON.
    principal TEXT NOT NULL,
    -- Empty = the default audience.
    audience TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When the whole family ends, however often it is refreshed.
    ends_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    -- `jti` and `exp` of the access token that came with it.
    access_id TEXT NOT NULL,
    access_until BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_ends ON refresh_tokens (ends_at);
-- Devices that wait for their user (RFC 8628).
CREATE TABLE devices (
    -- SHA-256 of the device code, in hexadecimal.
    hash TEXT NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    -- Empty = the default audience.
    audience TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Seconds between two polls.
    pause BIGINT NOT NULL,
    polled_at BIGINT,
    -- `pending`, `granted`, `denied`.
    state TEXT NOT NULL,
    -- Who said yes, as JSON; empty before.
    principal TEXT NOT NULL
);
CREATE INDEX devices_expires ON devices (expires_at);
