//! Strict verification of JSON Web Tokens (RFC 7519, RFC 7515, RFC 8725), and a
//! client for the key sets that it needs (RFC 7517).
//!
//! A service that accepts tokens of one issuer needs three things: [`Rules`], which
//! say what such a token must look like; a [`KeySet`], which only that issuer's keys
//! are in; and the time.
//!
//! ```
//! use countersign_verify::{Algorithm, KeySet, Rules};
//!
//! // The published keys, and a token of RFC 8037 A.4's key.
//! let keys = KeySet::parse(br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026",
//!     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#)?;
//! let rules = Rules::new("https://login.example", ["shop"], [Algorithm::EdDSA])?;
//!
//! let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.";
//! let refusal = rules.verify(token, &keys, 1_767_225_600).unwrap_err();
//! assert_eq!(refusal.rule(), "alg");
//! assert_eq!(refusal.to_string(), "the header's alg is none that this verifier knows (\"none\" and HS* never are)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Who accepts several issuers, or fetches keys over HTTPS, makes a [`Trust`] list:
//! each [`Issuer`] has its own rules and its own [`Keys`], and no issuer's key ever
//! verifies another's token.
//!
//! ```no_run
//! use countersign_verify::{Algorithm, Issuer, JwksClient, JwksOptions, Rules, Trust};
//!
//! # async fn example(token: &str, now: u64) -> Result<(), Box<dyn std::error::Error>> {
//! let keys = JwksClient::new("https://login.example/.well-known/jwks.json", JwksOptions::default())?;
//! let rules = Rules::new("https://login.example", ["shop"], [Algorithm::RS256, Algorithm::ES256])?;
//! let trust = Trust::new([Issuer::new(rules, keys)])?;
//!
//! match trust.verify(token, now).await {
//!     Ok(verified) => println!("{:?}", verified.principal()),
//!     Err(refusal) if refusal.is_outage() => println!("try later: {refusal}"),
//!     Err(refusal) => println!("401, rule {}: {refusal}", refusal.rule()),
//! }
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! - **Compact form alone**, three segments of base64url without padding; JSON without
//!   duplicate names, of bounded size, depth and count ([`Jws::parse`]).
//! - **The caller names the algorithms.** There is no list by default; `none` and the
//!   symmetric algorithms do not exist here. A key is used only with algorithms that
//!   fit it ([`jwk`]).
//! - **Keys come from the set alone.** `jwk`, `jku`, `x5u`, `x5c` of a header are never
//!   looked at, and a `kid` is compared, never opened.
//! - **The time is a parameter**: seconds since 1970, or a `SystemTime` ([`Now`]).
//! - **A bearer token is bound to no key.** One with `cnf` is refused, unless the caller says
//!   that it checks who has the key ([`Rules::bound_too`]).
//! - **A refusal names the rule and never quotes the token** ([`Refusal`]): it may be
//!   written into any log.
//!
//! Revocation, one-time use (`jti`) and `nonce` are the caller's: the claims are in
//! [`Verified`].
#![warn(clippy::exhaustive_enums)]

mod algorithm;
mod base64url;
pub mod claims;
mod ed25519;
mod explain;
pub mod issuer;
mod json;
pub mod jwk;
pub mod jwks;
pub mod jws;
mod key_set;
mod now;
mod refusal;
mod thumbprint;
mod unverified;

pub use algorithm::Algorithm;
pub use claims::{Rules, RulesError, Verified};
pub use explain::Checked;
pub use issuer::{Issuer, Keys, Trust, TrustError};
pub use json::{Fault as JsonFault, strict_object};
pub use jwk::{Key, KeyRefusal};
pub use jwks::{JwksClient, JwksError, JwksOptions, Observer};
pub use jws::{Header, Jws};
pub use key_set::{KeySet, KeySetError, RefusedKey};
pub use now::Now;
pub use refusal::{Part, Refusal};
pub use thumbprint::thumbprint;
pub use unverified::Unverified;
