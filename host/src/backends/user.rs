//! A user as JSON, in the shape that plugins speak; the way back is `User::try_from`.

use countersign_abi::User;
use serde_json::{Value, json};

/// The user as JSON.
pub fn as_json(user: &User) -> Value {
    let attributes: Value =
        serde_json::from_str(&user.attributes_json).unwrap_or_else(|_| json!({}));
    json!({
        "id": user.id, "username": user.username, "email": user.email,
        "first_name": user.first_name, "last_name": user.last_name,
        "roles": user.roles, "groups": user.groups, "attributes": attributes,
    })
}
