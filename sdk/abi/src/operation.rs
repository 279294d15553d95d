//! The optional operations, and the one JSON envelope in which all of them are asked:
//! `{"request_id": "…", "millis_left": 9000, "arguments": {…}}`. Answers are plain JSON.
//! Members that a side does not know are of a newer minor: they are passed over.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a plugin may offer beside `create_token`: its arguments → its answer.
/// A "user" is an object of `id`, `username`, `email`, `first_name`, `last_name`,
/// `roles`, `groups`, `attributes`; only the first must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `{}` → what this instance can do: an object of booleans.
    Capabilities,
    /// `{redirect_uri, state, nonce}` → `{url, private}`.
    BeginLogin,
    /// `{parameters, private}` → `{user, private}`.
    FinishLogin,
    /// `{return_to, private}` → `{url}`, which may be null.
    LogoutUrl,
    /// `{backend, subject, id, user, previous_roles, register, sync, adopt}` →
    /// `{user, created, unknown_roles}`.
    Provision,
    /// `{op, …}` → depends on `op`: `user_add`, `user_list`, `user_passwd`, `user_import`.
    Manage,
    /// `{username}` → a user, or null.
    Lookup,
    /// `{}` → `{}`; a failure says what is wrong.
    Health,
    /// `{grace_millis}` → `{}`.
    Shutdown,
}

/// One call of an optional operation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Call {
    /// The host's id of the request that this call serves, for logs; may be empty.
    pub request_id: String,
    /// Milliseconds until the host stops waiting.
    pub millis_left: u64,
    /// The operation's own arguments, an object.
    pub arguments: Value,
}
