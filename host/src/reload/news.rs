//! What a reload tells: which backends are new, which key signs, what waits for a restart.

use serde_json::{Value, json};

use crate::token::Tokens;

/// `{backends: {id: change}, key, needs_restart, notices}`.
pub(super) fn news(old: &Tokens, new: &Tokens, kept: &[&str], notices: &[String]) -> Value {
    let backends = new.registry.iter().map(|backend| {
        let sha256 = backend.plugin.library.sha256();
        let before = old.registry.get(&backend.id);
        let change = match before.map(|before| before.plugin.library.sha256()) {
            None => "added",
            Some(known) if known != sha256 => "new library",
            Some(_) => "configured anew",
        };
        (backend.id.clone(), change.into())
    });
    let gone = old
        .registry
        .iter()
        .filter(|backend| new.registry.get(&backend.id).is_none());
    let gone = gone.map(|backend| (backend.id.clone(), "removed".into()));
    let changes: serde_json::Map<String, Value> = backends.chain(gone).collect();
    json!({ "backends": changes, "key": new.keys.load().shared().active().kid(), "needs_restart": kept, "notices": notices })
}
