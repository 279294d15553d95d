//! What may be meant, and does nothing or not what it seems to.

use crate::config::{Config, Nested};

/// Settings that do nothing here.
pub(super) fn warn(config: &Config) {
    let tell = |key: &str, why: &str| tracing::warn!("`{key}` {why}");
    if config.is_indirect() {
        if config.username_format.is_some() {
            tell(
                "username_format",
                "is not used: users are looked up and bound by their entry's name",
            );
        }
        if config.append_domain.is_some() {
            tell(
                "append_domain",
                "is not used: users are looked up and bound by their entry's name",
            );
        }
    } else if config.search.base.is_empty() {
        tell(
            "search.base",
            "is not set: names, addresses and groups in users' entries stay unknown",
        );
    }
    let searches_groups = !config.groups.base.is_empty();
    if config.groups.as_user && !searches_groups && config.groups.nested == Nested::Off {
        tell("groups.as_user", "is not used: no groups are searched");
    }
    // The host takes no more of one user.
    if config.groups.most > 1_000 {
        tell(
            "groups.most",
            "a user of more than 1000 groups is refused by the host: map fewer by `groups.filter`",
        );
    }
    if config.pool.lifetime < config.pool.idle {
        tell(
            "pool.idle",
            "is longer than `pool.lifetime`, which ends a connection before",
        );
    }
}
