//! Rules about signing keys: what a schedule must leave to those who verify, and who shares keys.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;

use super::Rules;
use crate::config::values::duration;

/// As long Airflow keeps our keys, whatever `max-age` says, and it fetches for no unknown id.
const AIRFLOW: Duration = Duration::from_secs(3_600);

impl Rules<'_> {
    pub(super) fn keys(&mut self) {
        if self.text("keys.private_key").is_empty() && !self.text("keys.public_key").is_empty() {
            self.error(
                "keys.public_key",
                "a public key is given without its private key",
                "set keys.private_key as well",
            );
        }
        self.schedule();
        self.sharing();
    }

    fn schedule(&mut self) {
        let time = |key: &str| duration::parse(self.get(key).and_then(Value::as_str)?);
        let lead = time("keys.lead").unwrap_or_default();
        let (max_age, every) = (time("keys.max_age"), time("keys.rotate_every"));
        if max_age.is_some_and(|max_age| max_age > lead) {
            self.error(
                "keys.max_age",
                "consumers would keep the published keys for longer than a new key waits for them (keys.lead)",
                "lower it to keys.lead at most, or raise keys.lead; absent = half of keys.lead, at most 1h",
            );
        }
        let Some(every) = every else {
            return;
        };
        if every < lead {
            self.error(
                "keys.rotate_every",
                "the next key would have to sign before it was published for keys.lead",
                "raise it to keys.lead at least",
            );
        }
        if lead < AIRFLOW {
            self.notice(
                "keys.lead",
                "Airflow keeps our keys for an hour: after a rotation it refuses tokens until it fetches again",
                "set it to 1h at least (2h is the default) if an Airflow verifies these tokens",
            );
        }
    }

    /// Hosts on one store, each with keys of its own.
    fn sharing(&mut self) {
        let kek = self.text("store.kek");
        if !kek.is_empty() && !is_key(kek) {
            self.error(
                "store.kek",
                "this is no key: expected 32 bytes in base64",
                "make one with `openssl rand -base64 32`, and give it as a file",
            );
        }
        if self.text("store.url").is_empty() || !kek.is_empty() {
            return;
        }
        if self
            .get("keys.rotate_every")
            .is_some_and(|every| !every.is_null())
        {
            self.error(
                "keys.rotate_every",
                "each host would rotate keys of its own, and publish those alone: consumers that reach another host refuse its tokens",
                "set store.kek: then all hosts on the store share their keys",
            );
        } else {
            self.notice(
                "store.url",
                "without store.kek each host on this store signs with keys of its own, and publishes those alone",
                "set store.kek (openssl rand -base64 32), the same for all hosts",
            );
        }
    }
}

fn is_key(text: &str) -> bool {
    let bytes = STANDARD.decode(text.trim());
    let bytes = bytes.or_else(|_| URL_SAFE.decode(text.trim()));
    bytes.is_ok_and(|bytes| bytes.len() == 32)
}
