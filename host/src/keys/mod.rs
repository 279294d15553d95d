//! Keys: what signs tokens, and what the world sees of it.
//!
//! The life of a key:
//!
//! 1. **made**: by the first start, by [`generate`], or by the operator with openssl;
//! 2. **next**: published in the JWKS, not used, so that every consumer's cache knows it before
//!    its first token (Airflow fetches once an hour and never for an unknown `kid`);
//! 3. **active**: signs; there is exactly one;
//! 4. **retiring**: signs no more, published until its last token has expired;
//! 5. **gone**: neither file nor JWK is left, but its `kid` and thumbprint are remembered for
//!    ever, so that no other key takes its name.
//!
//! Keys live in rings: one that audiences share, and one for each audience with `keys: own`; at
//! home in the folder `keys` of the state folder, or sealed in the store. A key file of the
//! operator (`keys.private_key`) is the first active one, by reference, and stays the operator's.
//! Nothing here asks for the time or changes by itself: the keyring, above, does.
//!
//! Private keys ([`KeySet`], [`Signer`]) and their public view ([`Jwks`], [`Jwk`]) are different
//! types, so that a private key cannot be published by accident.

mod atomic;
mod configured;
mod consumers;
mod demo;
mod error;
mod files;
pub mod generate;
mod home;
mod index;
mod jwk;
mod jwks;
mod kek;
mod key_set;
mod kind;
mod life;
mod list;
mod orders;
mod pair;
mod pem;
mod published;
mod ring;
mod rings;
mod sealer;
mod signer;
mod terms;
#[cfg(test)]
mod tests;

pub use error::KeyError;
pub(crate) use files::private_der;
pub use home::Home;
pub use jwk::{Curve, Edwards, Jwk, KeyUse, PublicKey};
pub use jwks::Jwks;
pub use kek::Kek;
pub use key_set::{KeySet, Mode, Opening};
pub use life::{Held, Holding, Passed};
pub use list::{KeyState, KeyView, table};
pub use orders::{Asked, Circumstances, Done, Order, OrderError};
pub use ring::{Ring, Row};
pub use rings::{Current, Rings};
pub use sealer::Sealer;
pub use signer::{SignError, Signer};
pub use terms::Terms;
