//! Which groups hold a user: those that his entry names, those that a search finds, his
//! primary group, and the groups that hold one of these. Each rule adds; none takes away.
//!
//! A user of more groups than the bounds allow is an error, never a user of fewer groups.

mod found;
mod membership;
mod name;
mod primary;
mod range;
mod search;

use crate::config::{Config, Nested};
use crate::entry::Entry;
use crate::net::Session;
use crate::trouble::Trouble;
use found::Found;
use membership::Membership;
use search::Search;

/// The keys of all groups that hold the user, DNs as the server writes them, each once, sorted.
pub(crate) async fn of_user(
    config: &Config,
    session: &mut Session,
    user: &Entry,
    username: &str,
) -> Result<Vec<String>, Trouble> {
    let settings = &config.groups;
    let base = base(config);
    let mut found = Found::new(user, settings.most);
    let own = &config.attributes.groups;
    found.add_all(range::values(session, user, own, settings.most).await?)?;
    let primary = primary::group(session, user, base).await?;
    found.add_all(primary.clone())?;
    let mut search = Search {
        session,
        base,
        membership: &Membership::parse(&settings.filter).map_err(Trouble::Unavailable)?,
        user,
        username,
        most: settings.most,
    };
    match settings.nested.by_what_is_there(user) {
        _ if base.is_empty() => {}
        Nested::Chain => found.add_all(search.chain(primary.as_deref()).await?)?,
        Nested::Recursive => search.climb(&mut found, settings.depth).await?,
        Nested::Auto | Nested::Off if settings.base.is_empty() => {}
        Nested::Auto | Nested::Off => found.add_all(search.direct().await?)?,
    }
    Ok(found.into_sorted())
}

/// The attributes of a user's entry that [`of_user`] reads.
pub(crate) fn attributes(config: &Config) -> impl Iterator<Item = &str> {
    let named = [
        config.attributes.groups.as_str(),
        primary::OBJECT_SID,
        primary::PRIMARY_GROUP_ID,
        search::GID_NUMBER,
    ];
    named.into_iter().filter(|name| !name.is_empty())
}

/// Are the settings such that [`of_user`] can work? The error names the key.
pub(crate) fn check(config: &Config) -> Result<(), String> {
    let settings = &config.groups;
    Membership::parse(&settings.filter).map_err(|why| format!("groups.filter: {why}"))?;
    if matches!(settings.nested, Nested::Chain | Nested::Recursive) && base(config).is_empty() {
        return Err(
            "groups.nested: groups of groups are searched below groups.base, else below \
             search.base; expected one of them"
                .to_owned(),
        );
    }
    Ok(())
}

/// Below what groups are searched; may be empty.
fn base(config: &Config) -> &str {
    if config.groups.base.is_empty() {
        &config.search.base
    } else {
        &config.groups.base
    }
}

impl Nested {
    /// Active Directory alone gives its users an `objectSid`, and has the matching rule in
    /// chain: no question to the server is needed.
    fn by_what_is_there(self, user: &Entry) -> Nested {
        match self {
            Nested::Auto if user.bytes(primary::OBJECT_SID).is_empty() => Nested::Recursive,
            Nested::Auto => Nested::Chain,
            chosen => chosen,
        }
    }
}
