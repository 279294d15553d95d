//! What may be meant, and is weaker than it seems to be.

use crate::config::{Config, EmailVerified, Opaque};

/// Settings that somebody should think over.
pub(super) fn warn(config: &Config) {
    let tell = |key: &str, why: &str| tracing::warn!("`{key}` {why}");
    if config.opaque == Some(Opaque::Userinfo) {
        tell(
            "opaque",
            "is userinfo, which cannot tell for whom a token was issued: tokens of any application that the \
             provider's users log in to come in",
        );
    }
    if config.allow_http {
        tell(
            "allow_http",
            "is for tests: anybody on the way to the provider can make tokens",
        );
    }
    if config.email_verified == Some(EmailVerified::Ignored) && !config.email_domains.is_empty() {
        tell(
            "email_verified",
            "is ignored: `email_domains` keeps nobody out who can write his address at the provider",
        );
    }
    if config.claims.subject.is_some() {
        tell(
            "claims.subject",
            "names users for ever: if a value of it can change or be given to another, he gets what the other had",
        );
    }
}
