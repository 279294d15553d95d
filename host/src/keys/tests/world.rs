//! A ring in a folder, at times that the tests choose.

use super::*;
use crate::keys::{KeyState, KeyView, Passed};

pub(super) const START: i64 = 1_800_000_000;
pub(super) const HOUR: i64 = 3_600;

/// A ring in a folder, with a clock of its own.
pub(super) struct World {
    pub(super) folder: Folder,
    pub(super) settings: Keys,
    pub(super) terms: Terms,
    pub(super) now: i64,
    pub(super) holding: Holding,
}

impl World {
    /// EdDSA, a lead of two hours, tokens of at most a day, ten seconds of leeway.
    pub(super) fn new() -> World {
        let settings = in_state();
        let terms = Terms {
            longest: 24 * 3_600,
            grace: 10,
            ..Terms::of(&settings, settings.algorithm, Vec::new())
        };
        let world = World {
            folder: Folder::new(),
            settings,
            terms,
            now: START,
            holding: Holding::new(),
        };
        world.open();
        world
    }

    pub(super) fn ring(&self) -> Ring {
        Ring::in_folder(self.folder.join("keys")).unwrap()
    }

    pub(super) fn opened(&self, ring: &mut Ring) -> Result<KeySet, KeyError> {
        let now = u64::try_from(self.now).unwrap();
        let opening = Opening {
            mode: Mode::Serve,
            exposed: true,
            now: UNIX_EPOCH + Duration::from_secs(now),
            progress: &|_| {},
        };
        let set = KeySet::of(ring, &self.terms, &self.settings, &opening, &self.holding)?;
        ring.save()?;
        Ok(set)
    }

    pub(super) fn open(&self) -> KeySet {
        self.opened(&mut self.ring()).unwrap()
    }

    pub(super) fn obey(&self, order: Order) -> Result<Vec<String>, OrderError> {
        let at = Circumstances {
            terms: &self.terms,
            now: self.now,
            exposed: true,
            holding: &self.holding,
            progress: &|_| {},
        };
        let mut ring = self.ring();
        let done = ring.obey(&order, &at)?;
        self.opened(&mut ring)?;
        Ok(done.told)
    }

    pub(super) fn rotate(&self) -> Result<Vec<String>, OrderError> {
        self.obey(Order::Rotate { now: false })
    }

    pub(super) fn retire(&self, kid: &str, now: bool) -> Result<Vec<String>, OrderError> {
        let kid = kid.to_owned();
        self.obey(Order::Retire { kid, now })
    }

    pub(super) fn pass(&self) -> Passed {
        let mut ring = self.ring();
        let holding = Some(&self.holding);
        let passed = ring.pass(&self.terms, self.now, holding, &|_| {}).unwrap();
        self.opened(&mut ring).unwrap();
        passed
    }

    pub(super) fn next(&self) -> Option<i64> {
        self.ring().next(&self.terms, self.now, &self.holding)
    }
}

pub(super) fn kids(set: &KeySet, state: KeyState) -> Vec<String> {
    let keys = set.list().iter().filter(|key| key.state == state);
    keys.map(|key| key.kid.clone()).collect()
}

pub(super) fn view<'a>(set: &'a KeySet, kid: &str) -> &'a KeyView {
    set.list().iter().find(|key| key.kid == kid).unwrap()
}

pub(super) fn is_published(set: &KeySet, kid: &str) -> bool {
    set.jwks().keys().iter().any(|key| key.kid == kid)
}
