//! OpenMetadata ships one key pair with its distribution. Everybody has its private half: whoever
//! trusts it trusts everybody. Its documentation calls it a demonstration; many run it for years.

use std::path::Path;

use super::KeyError;

/// The `keyId` that comes with that key pair (`jwtTokenConfiguration` of OpenMetadata's
/// `conf/openmetadata.yaml`). Whoever made a key of their own and kept this name must rename it.
const KID: &str = "Gb389a-9f76-gdjs-a92j-0242bk94356";

/// Refuses the demonstration key on a server that others can reach (`exposed`); on loopback
/// it gives the notice to print.
pub(super) fn check(kid: &str, file: &Path, exposed: bool) -> Result<Option<String>, KeyError> {
    if kid != KID {
        return Ok(None);
    }
    if exposed {
        return Err(KeyError::Demo {
            path: file.to_owned(),
            kid: KID.to_owned(),
        });
    }
    Ok(Some(format!(
        "key {KID} ({}) is the demonstration key that OpenMetadata ships: everybody has it; it is accepted only because the server listens on loopback",
        file.display()
    )))
}
