//! `PATCH` by JSON Patch (RFC 6902), as OpenMetadata's clients send it. The patch is made to the
//! entity as `GET` shows it, and what differs then has to be what may be changed: so it does not
//! matter by which steps a client gets there, and a `test` looks at what its client has seen.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use json_patch::{PatchError, PatchErrorKind, PatchOperation};
use serde_json::{Map, Value};

use super::answer::{Refused, refuse, wrong};
use super::asker::Known;
use crate::audit::clean;
use crate::http::body::{self, Unread};

/// RFC 6902 section 6.
const TYPE: &str = "application/json-patch+json";

/// RFC 5789 section 2.2.
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Operations of one patch: enough to give a bot its roles one by one.
const MOST: usize = 200;

/// Values in values: an entity has no deeper ones, and no patch builds what is too deep to walk.
const DEEPEST: usize = 8;

/// An entity that was patched.
pub(super) struct Patched(Map<String, Value>);

/// Reads a patch and makes it to an entity, of which only the members in `open` may change.
pub(super) async fn patched(
    known: &mut Known,
    entity: &Value,
    open: &[&str],
) -> Result<Patched, Refused> {
    let patch = read(known).await?;
    apply(&patch, entity, open)
}

impl Patched {
    /// A text; empty where there is none.
    pub(super) fn text(&self, member: &str) -> Result<String, Refused> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(wrong(&format!("{member} is a text"))),
        }
    }

    /// A list; empty where there is none.
    pub(super) fn list(&self, member: &str) -> Result<&[Value], Refused> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(wrong(&format!("{member} is a list"))),
        }
    }
}

async fn read(known: &mut Known) -> Result<Vec<PatchOperation>, Refused> {
    let (headers, body) = known.sent();
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(TYPE) {
        let text = format!("Send a JSON Patch (RFC 6902), as {TYPE}");
        let mut refused = refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text);
        let accepted = HeaderValue::from_static(TYPE);
        refused.headers_mut().insert(ACCEPT_PATCH, accepted);
        return Err(refused);
    }
    let bytes = body::bytes(body).await.map_err(|unread| match unread {
        Unread::TooLarge => refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is larger than 65536 bytes",
        ),
        Unread::Late => refuse(
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive in time",
        ),
        Unread::Broken => wrong("There was an error parsing the body"),
    })?;
    // What serde says may quote the body.
    serde_json::from_slice(&bytes).map_err(|_| {
        wrong("The body is no JSON Patch (RFC 6902): a list of operations, each with op and path")
    })
}

fn apply(patch: &[PatchOperation], entity: &Value, open: &[&str]) -> Result<Patched, Refused> {
    if patch.len() > MOST {
        return Err(wrong(&format!("A patch has at most {MOST} operations")));
    }
    for operation in patch {
        let value = match operation {
            PatchOperation::Add(add) => &add.value,
            PatchOperation::Replace(replace) => &replace.value,
            PatchOperation::Test(test) => &test.value,
            PatchOperation::Remove(_) | PatchOperation::Move(_) => continue,
            // Copies of copies double, and nobody has a use for one.
            PatchOperation::Copy(_) => {
                return Err(wrong("copy is not taken here: add the value itself"));
            }
        };
        if is_deeper(value, DEEPEST) {
            return Err(wrong("A value of the patch is nested too deeply"));
        }
    }
    // "Unsafe" for who would go on with what is half patched.
    let mut after = entity.clone();
    json_patch::patch_unsafe(&mut after, patch).map_err(|error| unfit(&error))?;
    let (Value::Object(after), Some(before)) = (after, entity.as_object()) else {
        return Err(wrong("The patch leaves no object"));
    };
    let all = before.keys().chain(after.keys());
    let mut shut = all.filter(|name| !open.contains(&name.as_str()));
    match shut.find(|name| before.get(*name) != after.get(*name)) {
        None => Ok(Patched(after)),
        Some(name) => Err(wrong(&format!(
            "{} cannot be changed here: {} can",
            clean(name, 64),
            open.join(", ")
        ))),
    }
}

/// The entity is not as the patch takes it to be (RFC 5789 section 2.2).
fn unfit(error: &PatchError) -> Refused {
    let why = match error.kind {
        PatchErrorKind::TestFailed => "the value there is another",
        PatchErrorKind::CannotMoveInsideItself => "a value cannot be moved into itself",
        _ => "there is no such place",
    };
    let text = format!(
        "The patch does not fit: operation {}, path {}: {why}",
        error.operation,
        clean(error.path.as_str(), 128)
    );
    refuse(StatusCode::CONFLICT, &text)
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match (value, levels) {
        (Value::Array(_) | Value::Object(_), 0) => true,
        (Value::Array(list), _) => list.iter().any(|each| is_deeper(each, levels - 1)),
        (Value::Object(members), _) => members.values().any(|each| is_deeper(each, levels - 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn made(patch: Value) -> Result<Map<String, Value>, StatusCode> {
        let patch: Vec<PatchOperation> = serde_json::from_value(patch).unwrap();
        let entity = json!({ "id": "7", "text": "old", "list": ["a", "b"] });
        let applied = apply(&patch, &entity, &["text", "list"]);
        applied
            .map(|patched| patched.0)
            .map_err(|refused| refused.status())
    }

    #[test]
    fn open_members_change_by_whichever_steps() {
        for (patch, member, value) in [
            (
                json!([{ "op": "replace", "path": "/text", "value": "new" }]),
                "text",
                json!("new"),
            ),
            (
                json!([{ "op": "remove", "path": "/text" }]),
                "text",
                json!(null),
            ),
            (
                json!([{ "op": "move", "from": "/list/0", "path": "/list/1" }]),
                "list",
                json!(["b", "a"]),
            ),
            (
                json!([{ "op": "test", "path": "/id", "value": "7" }, { "op": "add", "path": "/list/-", "value": "c" }]),
                "list",
                json!(["a", "b", "c"]),
            ),
        ] {
            let after = made(patch).unwrap();
            assert_eq!(after.get(member).unwrap_or(&Value::Null), &value);
        }
    }

    #[test]
    fn what_is_shut_does_not_fit_or_grows_without_bound_is_refused() {
        let deep = (0..9).fold(json!(1), |inner, _| json!([inner]));
        let add = |value: &Value| json!({ "op": "add", "path": "/text", "value": value });
        for (patch, status) in [
            (json!([{ "op": "remove", "path": "/id" }]), 400),
            (json!([{ "op": "add", "path": "/new", "value": 1 }]), 400),
            (
                json!([{ "op": "move", "from": "/id", "path": "/text" }]),
                400,
            ),
            (
                json!([{ "op": "copy", "from": "/id", "path": "/text" }]),
                400,
            ),
            (json!([{ "op": "replace", "path": "", "value": [] }]), 400),
            (json!([add(&deep)]), 400),
            (json!(vec![add(&json!("x")); MOST + 1]), 400),
            (json!([{ "op": "remove", "path": "/none" }]), 409),
            (json!([{ "op": "remove", "path": "/list/2" }]), 409),
            (
                json!([{ "op": "test", "path": "/text", "value": "new" }]),
                409,
            ),
        ] {
            assert_eq!(made(patch.clone()).unwrap_err(), status, "{patch}");
        }
    }
}
