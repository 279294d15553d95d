//! The provider's keys, and the rules that its tokens keep. The keys are bound to the
//! issuer: they come from the address that it names itself, or from the configured one,
//! and never from anything that a token says.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_sdk::prelude::*;
use countersign_verify::{
    Issuer, JwksClient, JwksError, JwksOptions, KeySet, Observer, Rules, RulesError, Trust,
};
use url::Url;

use super::Kind;
use super::metrics::Metrics;
use crate::settings::Settings;

/// What tokens are verified with. It changes with the address of the keys alone.
pub(super) struct Keys {
    settings: Arc<Settings>,
    cx: Cx,
    bearer: Vec<Rules>,
    id_token: Vec<Rules>,
    issued: Vec<Rules>,
    current: Mutex<Option<Arc<Ring>>>,
}

/// The keys at one address, and whose tokens they verify.
pub(super) struct Ring {
    address: Url,
    pub(super) client: Arc<JwksClient>,
    bearer: Trust,
    id_token: Trust,
    issued: Trust,
}

impl Keys {
    pub(super) fn new(settings: &Arc<Settings>, cx: &Cx) -> Result<Self> {
        let mistake = |error: RulesError| AuthError::invalid(error.to_string());
        let issuers = || std::iter::once(&settings.issuer).chain(&settings.more_issuers);
        let client = settings.client.as_ref().map(|client| client.id.clone());
        let mut audiences = settings.audiences.clone();
        if audiences.is_empty() {
            audiences.extend(client.clone());
        }
        let rules = |issuer: &String, audiences: &[String]| {
            let rules = Rules::new(
                issuer,
                audiences.iter().cloned(),
                settings.algorithms.iter().copied(),
            );
            // Whether it is bound, the bearer's side says by itself.
            rules.map(|rules| rules.leeway(settings.leeway).bound_too())
        };
        let bearer = issuers().map(|issuer| {
            let rules = rules(issuer, &audiences)?;
            Ok(rules.types(["JWT", "at+jwt"]))
        });
        let bearer = bearer.collect::<Result<_, _>>().map_err(mistake)?;
        let id_token = issuers().map(|issuer| match &client {
            Some(client) => {
                let rules = rules(issuer, std::slice::from_ref(client))?;
                Ok(rules.authorized_party(client))
            }
            None => rules(issuer, &audiences),
        });
        let issued = client.iter().flat_map(|client| {
            let rules = &rules;
            issuers().map(move |issuer| {
                let rules = rules(issuer, std::slice::from_ref(client))?;
                Ok(rules.types(["JWT", "at+jwt"]).issued_to(client))
            })
        });
        Ok(Keys {
            bearer,
            id_token: id_token.collect::<Result<_, _>>().map_err(mistake)?,
            issued: issued.collect::<Result<_, _>>().map_err(mistake)?,
            settings: Arc::clone(settings),
            cx: cx.clone(),
            current: Mutex::new(None),
        })
    }

    /// Is this one of the issuers whose tokens these keys sign?
    pub(super) fn has_issuer(&self, issuer: &str) -> bool {
        self.bearer.iter().any(|rules| rules.issuer() == issuer)
    }

    /// The keys at this address. Nothing is fetched here.
    pub(super) fn at(&self, address: &Url) -> Result<Arc<Ring>, JwksError> {
        let current = self.current.lock();
        let mut current = current.unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = current.as_ref().filter(|ring| ring.address == *address) {
            return Ok(Arc::clone(ring));
        }
        let ring = Arc::new(self.open(address)?);
        *current = Some(Arc::clone(&ring));
        Ok(ring)
    }

    fn open(&self, address: &Url) -> Result<Ring, JwksError> {
        let settings = &self.settings;
        let mut options = JwksOptions::default();
        options.refetch = settings.cache.refetch;
        options.fresh = settings.cache.fresh;
        options.stale = settings.cache.stale;
        options.timeout = settings.timeout;
        options.redirects = 0;
        options.authorities.clone_from(&settings.authorities);
        options.plain_http = settings.plain_http;
        options.observer = observer(&self.cx);
        let client = Arc::new(JwksClient::new(address.as_str(), options)?);
        let trust = |rules: &[Rules]| {
            let issuers = rules.iter().cloned();
            let trust = Trust::new(issuers.map(|rules| Issuer::new(rules, Arc::clone(&client))));
            trust.map_err(|error| JwksError::Client(error.to_string()))
        };
        Ok(Ring {
            address: address.clone(),
            bearer: trust(&self.bearer)?,
            id_token: trust(&self.id_token)?,
            issued: trust(&self.issued)?,
            client,
        })
    }
}

impl Ring {
    /// The issuer of this name, as tokens of this kind have it.
    pub(super) fn issuer(&self, name: &str, kind: Kind) -> Option<&Issuer> {
        match kind {
            Kind::Bearer => self.bearer.issuer(name),
            Kind::IdToken => self.id_token.issuer(name),
            Kind::IssuedToUs => self.issued.issuer(name),
        }
    }
}

/// Counts fetches, and logs what is wrong with them on behalf of the backend: a task of the
/// client's own speaks for nobody.
fn observer(cx: &Cx) -> Observer {
    let (cx, metrics) = (cx.clone(), Metrics::new(cx));
    Observer::new(move |fetched: Result<&KeySet, &JwksError>| {
        metrics.fetched("keys", fetched.is_ok());
        let told: Vec<String> = match fetched {
            Ok(set) => {
                metrics.keys(set.keys().len());
                let refused = set.refused().iter().take(8);
                refused
                    .map(|key| format!("a key of the provider is not used: {key}"))
                    .collect()
            }
            Err(error) => vec![format!("the provider's keys cannot be renewed: {error}")],
        };
        if !told.is_empty() {
            cx.spawn(async move { told.iter().for_each(|line| tracing::warn!("{line}")) });
        }
    })
}
