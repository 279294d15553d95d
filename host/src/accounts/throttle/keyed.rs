//! Keys of counters: hashed with a secret, so that nobody can aim at another's place, and so
//! that no name leaves the process. Hosts that share the secret make the same keys.

use std::hash::{BuildHasher, Hasher, RandomState};

use sha2::{Digest, Sha256};

/// Hashes with a secret.
#[derive(Clone)]
pub(super) struct Keyed(Sha256);

/// One hash in the making.
pub(super) struct Making(Sha256);

impl Keyed {
    /// With a secret of this process.
    pub(super) fn own() -> Self {
        let mut secret = [0; 32];
        for chunk in secret.chunks_mut(8) {
            let random = RandomState::new().hash_one(0_u8).to_le_bytes();
            chunk.copy_from_slice(&random);
        }
        Keyed::with(&secret)
    }

    pub(super) fn with(secret: &[u8; 32]) -> Self {
        Keyed(Sha256::new_with_prefix(secret))
    }
}

impl BuildHasher for Keyed {
    type Hasher = Making;

    fn build_hasher(&self) -> Making {
        Making(self.0.clone())
    }
}

impl Hasher for Making {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        let (first, _) = digest.split_at(8);
        first.try_into().map_or(0, u64::from_le_bytes)
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_secret() {
        let [one, two] = [1, 2].map(|byte| Keyed::with(&[byte; 32]));
        assert_eq!(one.hash_one("ada"), one.clone().hash_one("ada"));
        assert_ne!(one.hash_one("ada"), two.hash_one("ada"));
        assert_ne!(one.hash_one("ada"), one.hash_one("bob"));
        assert_ne!(Keyed::own().hash_one("ada"), Keyed::own().hash_one("ada"));
    }
}
