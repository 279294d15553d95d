//! Who comes in, who does not, and how both are told.

mod active_directory;
mod flows;
mod injection;
mod lookup;
mod names;
mod outages;
mod policy;
mod refusals;
mod secrets;
mod settings;
mod transport;

use countersign_ldap::Ldap;
use countersign_sdk::{AuthError, Kind};

use crate::bed::login;

/// This login is refused, for this reason, of this subject.
pub(crate) async fn denied(
    ldap: &Ldap,
    username: &str,
    password: &str,
    (reason, subject): (&str, &str),
) {
    let expected = AuthError::denied(reason).subject(subject);
    assert_eq!(
        login(ldap, username, password).await,
        Err(expected),
        "{username}"
    );
}

/// Nobody can say, and why.
pub(crate) async fn unavailable(ldap: &Ldap, username: &str, password: &str) -> String {
    let error = login(ldap, username, password).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{username}: {error}");
    error.detail().to_owned()
}
