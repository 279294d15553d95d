-- The thumbprint of the key that a grant's refresh tokens are bound to (RFC 9449 section 5);
-- empty = none.
ALTER TABLE grants ADD COLUMN jkt TEXT NOT NULL DEFAULT '';
