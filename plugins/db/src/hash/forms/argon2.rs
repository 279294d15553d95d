//! `$argon2id$v=19$m=65536,t=3,p=4$salt$digest`, the form of Argon2's own tool.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::number;
use crate::hash::{Method, StoredHash};

pub(super) fn parse(scheme: &str, rest: &str) -> Option<StoredHash> {
    let mut fields = rest.split('$');
    let mut field = fields.next()?;
    let mut version = 16; // of hashes before versions were written
    if let Some(given) = field.strip_prefix("v=") {
        version = number(given)?;
        field = fields.next()?;
    }
    let mut costs = field.split(',');
    let mut cost = |key| number(costs.next()?.strip_prefix(key)?);
    let (memory, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
    let salt = STANDARD_NO_PAD.decode(fields.next()?).ok()?;
    let digest = STANDARD_NO_PAD.decode(fields.next()?).ok()?;
    let method = Method::argon2(scheme == "argon2id", version, memory, passes, lanes).ok()?;
    let fits = costs.next().is_none()
        && fields.next().is_none()
        && (8..=64).contains(&salt.len())
        && (12..=64).contains(&digest.len());
    fits.then(|| StoredHash::derived(method, salt, digest))
}
