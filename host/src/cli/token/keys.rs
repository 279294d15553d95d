//! The keys that a token is verified with: our own, a file's, or those at a URL.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use countersign_verify::{Algorithm, JwksClient, JwksError, JwksOptions, Key, KeySet};

use crate::cli::failure::{Failure, KEYS};
use crate::cli::keys::looked_at;
use crate::cli::setup::Setup;
use crate::clock;
use crate::config::Config;

/// A file of keys is at most this large; the parser says so, too.
const KEYS_LIMIT: u64 = 1 << 20;

/// Our own keys for an audience, as our own endpoints verify with them: what `keys.extra_public`
/// publishes signs nothing of ours.
pub(super) fn own(config: &Config, audience: Option<&str>) -> Result<Arc<KeySet>, Failure> {
    let rings = looked_at(config)?;
    Ok(Arc::new(rings.of(audience).verifying().clone()))
}

pub(super) fn from_file(file: &Path) -> Result<Arc<KeySet>, Failure> {
    let mut document = Vec::new();
    let read =
        File::open(file).and_then(|file| file.take(KEYS_LIMIT + 1).read_to_end(&mut document));
    let shown = file.display();
    read.map_err(|error| unusable(&shown, &error))?;
    parse(&document, shown)
}

fn parse(document: &[u8], place: impl std::fmt::Display) -> Result<Arc<KeySet>, Failure> {
    let keys = KeySet::parse(document);
    keys.map(Arc::new).map_err(|error| unusable(&place, &error))
}

pub(super) fn fetch(url: &str) -> Result<Arc<KeySet>, Failure> {
    // The URL may hold a password: it is not repeated.
    let failed = |error: JwksError| unusable(&"--jwks", &error);
    let runtime = Setup::runtime()?;
    runtime.block_on(async {
        let client = JwksClient::new(url, JwksOptions::default()).map_err(failed)?;
        client.keys(None, clock::unix_now()).await.map_err(failed)
    })
}

pub(super) fn unusable(place: &dyn std::fmt::Display, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        KEYS,
        format!("{place}: {error}"),
        "name a JWK set, such as https://HOST/.well-known/jwks.json or a file of it (http:// only on this machine)",
    )
}

/// What the keys say of themselves; of a key that says nothing, the one algorithm that
/// everybody takes for its kind.
pub(super) fn algorithms_of(keys: &KeySet) -> Vec<Algorithm> {
    let first = |key: &Key| key.algorithms().next();
    keys.keys().iter().filter_map(first).collect()
}

pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}
