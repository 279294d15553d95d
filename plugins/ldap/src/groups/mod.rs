//! Which groups hold a user: those that his entry names, those that a search finds, his
//! primary group, and the groups that hold one of these. Each rule adds; none takes away.
//!
//! A user of more groups than the bounds allow is an error, never a user of fewer groups.

mod found;
mod membership;
mod primary;
mod range;
mod search;

use std::sync::Once;

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
    let nested = nested(settings.nested, session);
    let mut search = Search {
        session,
        base,
        membership: &Membership::parse(&settings.filter).map_err(Trouble::Unavailable)?,
        user,
        username,
        most: settings.most,
    };
    match nested {
        _ if base.is_empty() => {}
        Nested::Chain => {
            found.add_all(search.chain(primary.as_deref()).await?)?;
            if !search.session.is_active_directory() {
                // A server that does not know the rule finds nothing by it, and does not say so.
                search.climb(&mut found, settings.depth).await?;
            }
        }
        Nested::Recursive => search.climb(&mut found, settings.depth).await?,
        _ if settings.base.is_empty() => {}
        _ => found.add_all(search.direct().await?)?,
    }
    Ok(found.into_sorted())
}

/// The attributes of a user's entry that [`of_user`] reads.
pub(crate) fn attributes(config: &Config) -> impl Iterator<Item = &str> {
    let own = [config.attributes.groups.as_str(), search::GID_NUMBER];
    let named = own.into_iter().chain(primary::ATTRIBUTES);
    named.filter(|name| !name.is_empty())
}

/// Are the settings such that [`of_user`] can work? The error names the key.
pub(crate) fn check(config: &Config) -> Result<(), String> {
    let settings = &config.groups;
    Membership::check(&settings.filter).map_err(|why| format!("groups.filter: {why}"))?;
    if matches!(settings.nested, Nested::Chain | Nested::Recursive) && base(config).is_empty() {
        return Err(
            "groups.nested: expected groups.base or search.base, below which groups of groups are \
             searched, found neither"
                .to_owned(),
        );
    }
    Ok(())
}

/// The rule by which groups of groups are found on this server.
fn nested(chosen: Nested, session: &Session) -> Nested {
    match (chosen, session.is_active_directory()) {
        (Nested::Auto, true) => Nested::Chain,
        (Nested::Auto, false) => Nested::Recursive,
        (Nested::Chain, false) => {
            static TOLD: Once = Once::new();
            TOLD.call_once(|| {
                tracing::warn!(
                    server = session.server(),
                    "the server does not say that it is Active Directory, so that what `groups.nested: chain` \
                     finds is looked for level by level, too: `recursive` does only that, `auto` chooses by the server"
                );
            });
            Nested::Chain
        }
        (chosen, _) => chosen,
    }
}

/// Below what groups are searched; may be empty.
fn base(config: &Config) -> &str {
    if config.groups.base.is_empty() {
        &config.search.base
    } else {
        &config.groups.base
    }
}
