//! What the configuration says of one ring: whose it is, what it signs with, and its times.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::config::shapes::{Algorithm, KeyRing, Keys};

/// Consumers may look at most this rarely, unless `keys.max_age` says otherwise.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The settings of one ring. Times are in seconds.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The audience whose own it is; none = the shared one.
    pub audience: Option<String>,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The algorithms that audiences ask for by name, each with keys of its own.
    pub named: Vec<Algorithm>,
    /// How long a key is published before it signs.
    pub lead: i64,
    /// How long a key signs, if there is a schedule.
    pub rotate_every: Option<i64>,
    /// How long consumers may keep the published keys.
    pub max_age: Duration,
    /// The longest that a token lives which is not remembered one by one.
    pub longest: u64,
    /// Is the configuration new? At a start and at a reload: then what it names is taken up, and
    /// what nobody asks for any more retires. In between, hosts whose configurations differ for a
    /// while must not undo each other's changes.
    pub anew: bool,
    /// Beyond a token's end: what verifiers forgive, and how long a host may not know of a
    /// rotation.
    pub grace: i64,
}

impl Terms {
    /// The rings of a configuration, the shared one first.
    pub fn all(config: &Config) -> Vec<Terms> {
        let (keys, tokens) = (&config.keys, &config.tokens);
        let audiences = tokens.audiences.iter();
        let (own, sharing): (Vec<_>, Vec<_>) =
            audiences.partition(|(_, audience)| audience.keys == KeyRing::Own);
        let longest = |audience: &crate::config::shapes::Audience| {
            let usual = audience.lifetime.unwrap_or(tokens.lifetime);
            usual.max(audience.max_lifetime.unwrap_or_default())
        };
        let base = tokens.lifetime.max(tokens.cli_lifetime);
        let shared = sharing.iter().map(|(_, audience)| longest(audience));
        let shared = shared.fold(base, Duration::max);
        let mut grace = tokens.leeway;
        if !config.store.kek.expose().is_empty() {
            grace += config.store.outage;
        }
        let of = |audience: Option<&String>, algorithm, named, longest: Duration| Terms {
            audience: audience.cloned(),
            longest: longest.as_secs(),
            grace: seconds(grace),
            ..Terms::of(keys, algorithm, named)
        };
        let own = own.into_iter().map(|(name, audience)| {
            let algorithm = audience.algorithm.unwrap_or(keys.algorithm);
            let named = audience.algorithm.into_iter().collect();
            of(Some(name), algorithm, named, longest(audience))
        });
        let shared = of(None, keys.algorithm, tokens.algorithms(), shared);
        std::iter::once(shared).chain(own).collect()
    }

    /// A ring with these settings for which no tokens are configured.
    pub(super) fn of(keys: &Keys, algorithm: Algorithm, named: Vec<Algorithm>) -> Terms {
        Terms {
            audience: None,
            algorithm,
            named,
            lead: seconds(keys.lead),
            rotate_every: keys.rotate_every.map(seconds),
            max_age: max_age(keys),
            longest: 0,
            anew: true,
            grace: 0,
        }
    }

    /// The ring's name in the store.
    pub fn name(&self) -> String {
        match &self.audience {
            None => "shared".into(),
            Some(audience) => format!("audience {audience}"),
        }
    }

    /// The ring in a sentence.
    pub fn described(&self) -> String {
        match &self.audience {
            None => "the shared ring".into(),
            Some(audience) => format!("the ring of audience {audience:?}"),
        }
    }

    /// The ring's folder below the state folder.
    pub fn folder(&self, state: &Path) -> PathBuf {
        let keys = state.join("keys");
        match &self.audience {
            None => keys,
            Some(audience) => keys.join(audience),
        }
    }
}

/// Who fetched just before a key was published comes back one max-age later. That must not be
/// after the key's first signature, hence never more than `lead`; and half of it leaves time for
/// one fetch that fails.
fn max_age(keys: &Keys) -> Duration {
    let usual = (keys.lead / 2).min(LONGEST);
    keys.max_age.unwrap_or(usual).min(keys.lead)
}

/// Up to the next whole second: never shorter than it says.
fn seconds(time: Duration) -> i64 {
    let up = u64::from(time.subsec_nanos() > 0);
    i64::try_from(time.as_secs().saturating_add(up)).unwrap_or(i64::MAX / 4)
}
