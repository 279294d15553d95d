-- Programs with tokens of their own.
CREATE TABLE bots (
    -- A UUID, as OpenMetadata's clients expect.
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- The name, folded.
    folded TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Name, display name and description, folded: what a search looks in.
    searched TEXT NOT NULL,
    email TEXT NOT NULL,
    -- A JSON list.
    roles TEXT NOT NULL,
    -- Its public keys (private_key_jwt), a JWK set; empty = none.
    jwks TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
-- Tokens that are remembered one by one: bots', and users' own.
CREATE TABLE tokens (
    -- `jti` of a signed one.
    id TEXT NOT NULL PRIMARY KEY,
    -- `bot` and the bot's id, or `user` and BACKEND:ID.
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    -- `jwt` or `opaque`.
    form TEXT NOT NULL,
    -- SHA-256 of the whole token, in hexadecimal: the token itself is nowhere.
    hash TEXT NOT NULL UNIQUE,
    -- Empty = the default audience.
    audience TEXT NOT NULL,
    -- The key that signed it; empty for an opaque one.
    kid TEXT NOT NULL,
    -- Of a user's token: who he was when he made it, as JSON; empty for a bot's.
    principal TEXT NOT NULL,
    -- OpenMetadata's JWTTokenExpiry.
    expiry TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    -- NULL: never.
    expires_at BIGINT,
    revoked_at BIGINT,
    -- Another has taken its place: it is revoked then. NULL: it stays.
    ends_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_owner ON tokens (kind, owner);
CREATE INDEX tokens_kid ON tokens (kid, expires_at);
CREATE INDEX tokens_created_by ON tokens (created_by);
CREATE INDEX tokens_expires ON tokens (expires_at);
CREATE INDEX tokens_ends ON tokens (ends_at);
