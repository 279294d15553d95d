//! Which groups hold a user.

use crate::config::Config;
use crate::entry::Entry;
use crate::net::Session;
use crate::trouble::Trouble;

/// The keys of all groups that hold the user, DNs as the server writes them, each once.
pub(crate) async fn of_user(
    config: &Config,
    _session: &mut Session,
    user: &Entry,
    _username: &str,
) -> Result<Vec<String>, Trouble> {
    Ok(user
        .all(&config.attributes.groups)
        .map(str::to_owned)
        .collect())
}
