//! What OpenMetadata, which trusts our published keys, makes of a token: its own rules in its
//! own order, and what we know beyond it (whose the token is, and whether it was revoked).
//!
//! Its rules are fewer than ours: it compares neither `iss` nor `aud`, allows no difference of
//! clocks, and takes a token without `exp` for one that never ends.

use countersign_verify::{Algorithm, Jws, Refusal};
use serde_json::{Map, Value};

use super::Tokens;
use crate::accounts::lasting::{Lasting, Owner};
use crate::accounts::opaque;
use crate::accounts::store::{Revocable, Store, StoreError};
use crate::keys::KeySet;

/// The audience whose keys OpenMetadata is shown, if there is one of this name.
pub const OPENMETADATA: &str = "openmetadata";

/// `jwtPrincipalClaims` when nothing is set: the first that is there names the user.
const PRINCIPAL_CLAIMS: [&str; 3] = ["email", "preferred_username", "sub"];

/// `tokenValidationAlgorithm` may be one of these; ES512 is none of ours.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// A token that OpenMetadata takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Fit {
    /// The name that OpenMetadata finds its user by.
    pub user: String,
    /// The bot, or whoever else, that it was made for; none = the store does not know it.
    pub owner: Option<String>,
    /// OpenMetadata has issued it itself, and takes it as long as it stores it.
    pub is_theirs: bool,
    /// `exp`, in seconds since 1970; none = it never ends.
    pub expires: Option<u64>,
}

/// Why a token would not be taken, or should not be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Unfit {
    #[error("it is an opaque token: OpenMetadata takes signed ones alone")]
    Opaque,
    #[error("it is no JWT: {0}")]
    Form(Refusal),
    #[error("it has expired")]
    Expired(u64),
    #[error(
        "it is signed with a key that is not shown to OpenMetadata: it is for another audience"
    )]
    OtherRing,
    #[error("none of our keys has signed it: {0}")]
    Signature(Refusal),
    #[error("it has none of the claims email, preferred_username, sub")]
    Nobody,
    #[error(
        "it says that it is {0}: OpenMetadata takes such a token only if it has issued it itself, and still stores it"
    )]
    TheirOwn(&'static str),
    #[error("it has the claim sessionId: OpenMetadata knows only sessions that it began itself")]
    Session,
    #[error(
        "it was revoked here; OpenMetadata goes on taking it until it expires or its key is gone"
    )]
    Revoked,
    #[error("the store cannot say whether it was revoked: {0}")]
    Store(#[from] StoreError),
}

impl Tokens {
    /// Judges a token as OpenMetadata would; `store` is where it may be remembered, `now` is in
    /// seconds since 1970.
    ///
    /// # Errors
    /// [`Unfit`].
    pub async fn judge(&self, token: &str, store: Option<&Store>, now: u64) -> Result<Fit, Unfit> {
        if opaque::kind(token).is_some() {
            return Err(Unfit::Opaque);
        }
        let jws = Jws::parse(token).map_err(Unfit::Form)?;
        let claims = jws.claims().map_err(Unfit::Form)?;
        let expires = claims.get("exp").and_then(Value::as_u64);
        if let Some(at) = expires.filter(|at| *at < now) {
            return Err(Unfit::Expired(at));
        }
        self.signed(&jws)?;
        // From here on it compares names without regard to case, and takes an empty text for none.
        let claims: Map<String, Value> = claims
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        let text = |name: &str| {
            let text = claims.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        let named = PRINCIPAL_CLAIMS.into_iter().find_map(text);
        let user = named.and_then(|name| name.split('@').next());
        let user = user.filter(|user| !user.is_empty()).ok_or(Unfit::Nobody)?;
        let stored = match (claims.get("isbot"), text("tokentype")) {
            (Some(Value::Bool(true)), _) => Some("isBot"),
            (_, Some("PERSONAL_ACCESS")) => Some("PERSONAL_ACCESS"),
            _ => None,
        };
        // Its own have no jti; ours all do.
        if let (Some(what), Some(_)) = (stored, claims.get("jti")) {
            return Err(Unfit::TheirOwn(what));
        }
        if claims.contains_key("sessionid") {
            return Err(Unfit::Session);
        }
        let kid = jws.header().kid.as_deref().unwrap_or_default();
        let owner = match store {
            Some(store) => remembered(store, text("jti").unwrap_or_default(), kid).await?,
            None => None,
        };
        Ok(Fit {
            user: user.to_lowercase(),
            owner,
            is_theirs: stored.is_some(),
            expires,
        })
    }

    /// Has a key signed it that OpenMetadata is shown?
    fn signed(&self, jws: &Jws<'_>) -> Result<(), Unfit> {
        if jws.header().kid.is_none() {
            return Err(Unfit::Signature(Refusal::KidMissing));
        }
        let keys = self.keys.load();
        let by = |ring: &KeySet| jws.verify(ring.verifying(), &ALGORITHMS);
        let Err(refusal) = by(keys.of(Some(OPENMETADATA))) else {
            return Ok(());
        };
        let mut others = keys.own().values().chain([keys.shared()]);
        match others.any(|ring| by(ring).is_ok()) {
            true => Err(Unfit::OtherRing),
            false => Err(Unfit::Signature(refusal)),
        }
    }
}

/// Whose it is, by what the store remembers of it.
async fn remembered(store: &Store, id: &str, kid: &str) -> Result<Option<String>, Unfit> {
    if store.is_revoked(Revocable::Token(id)) || store.is_revoked(Revocable::Key(kid)) {
        return Err(Unfit::Revoked);
    }
    let Some(Lasting {
        owner, revoked_at, ..
    }) = store.token(id).await?
    else {
        return Ok(None);
    };
    if revoked_at.is_some() {
        return Err(Unfit::Revoked);
    }
    Ok(Some(match owner {
        Owner::Bot(id) => match store.bot_by_id(&id).await {
            Ok(bot) => format!("bot {bot}"),
            Err(_) => return Err(Unfit::Revoked),
        },
        Owner::User(id) => format!("user {id}"),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::num::NonZeroU64;

    use serde_json::{Value, json};

    use super::super::Lifetime;
    use super::super::tests::{Folder, ada, tokens};
    use super::{Fit, Unfit};
    use crate::token::Tokens;

    /// A token of these claims, and what becomes of it.
    async fn judged(claims: Value, later: u64) -> Result<Fit, Unfit> {
        let folder = Folder::new();
        let settings = json!({ "audiences": { "openmetadata": { "claims": claims } } });
        let tokens = tokens(&folder, settings);
        let token = minted(&tokens);
        tokens
            .judge(&token, None, crate::clock::unix_now() + later)
            .await
    }

    fn minted(tokens: &Tokens) -> String {
        let an_hour = Lifetime::Requested(NonZeroU64::new(3_600).unwrap());
        let minted = tokens.mint(Some("openmetadata"), &ada(), an_hour);
        minted.unwrap().token
    }

    #[tokio::test]
    async fn token_is_known_by_the_first_claim_that_names_a_user() {
        let fit = judged(json!({ "email": "Ada@example.org", "sub": "x" }), 0)
            .await
            .unwrap();
        assert_eq!((fit.user.as_str(), fit.owner), ("ada", None));
        assert!(fit.expires.is_some());
        assert_eq!(
            judged(json!({ "sub": "{username}" }), 0)
                .await
                .unwrap()
                .user,
            "ada"
        );
    }

    #[tokio::test]
    async fn token_that_only_its_issuer_may_vouch_for_is_unfit() {
        let bot = judged(json!({ "isBot": true }), 0).await;
        assert!(matches!(bot, Err(Unfit::TheirOwn("isBot"))), "{bot:?}");
        let bot = judged(json!({ "ISBOT": true }), 0).await;
        assert!(matches!(bot, Err(Unfit::TheirOwn("isBot"))), "{bot:?}");
        let session = judged(json!({ "sessionId": "7" }), 0).await;
        assert!(matches!(session, Err(Unfit::Session)), "{session:?}");
        let own = judged(json!({ "tokenType": "PERSONAL_ACCESS" }), 0).await;
        assert!(matches!(own, Err(Unfit::TheirOwn(_))), "{own:?}");
        assert!(
            judged(json!({ "isBot": false, "tokenType": "BOT" }), 0)
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn token_expires_without_leeway() {
        assert!(judged(json!({}), 3_600).await.is_ok());
        let late = judged(json!({}), 3_602).await;
        assert!(matches!(late, Err(Unfit::Expired(_))), "{late:?}");
    }

    #[tokio::test]
    async fn tokens_of_others_are_unfit_and_say_why() {
        let (folder, other) = (Folder::new(), Folder::new());
        let settings = || json!({ "audiences": { "openmetadata": {} } });
        let (ours, theirs) = (tokens(&folder, settings()), tokens(&other, settings()));
        let token = minted(&theirs);
        let foreign = ours.judge(&token, None, 0).await;
        assert!(matches!(foreign, Err(Unfit::Signature(_))), "{foreign:?}");
        let none = ours.judge("not.a.token", None, 0).await;
        assert!(matches!(none, Err(Unfit::Form(_))), "{none:?}");
        let opaque = crate::accounts::opaque::generate(crate::accounts::opaque::Kind::Bot);
        let opaque = ours.judge(opaque.unwrap().expose(), None, 0).await;
        assert!(matches!(opaque, Err(Unfit::Opaque)), "{opaque:?}");
    }
}
