//! What all faces for browsers share: who we are to a browser, what seals its cookies, and
//! what was used up.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use cookie::{Cookie, SameSite};
use url::Url;

use crate::accounts::once::Once;
use crate::accounts::store::Store;
use crate::config::Config;
use crate::config::shapes::Login;
use crate::keys::Sealer;

/// Shared by the faces for browsers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Seals what browsers and clients carry for us; kept over a reload.
    pub sealer: Arc<Sealer>,
    /// What may be used once; kept over a reload.
    pub once: Once,
    /// `server.login`.
    pub settings: Arc<Login>,
    /// `server.public_url`, without a slash at its end.
    pub public_url: Arc<str>,
}

impl Browser {
    /// With a sealer that was just opened, and nothing used; what is used is kept in memory.
    pub fn new(config: &Config, sealer: Sealer) -> Self {
        Browser {
            sealer: Arc::new(sealer),
            once: Once::default(),
            settings: Arc::new(config.server.login.clone()),
            public_url: config.public_url().into(),
        }
    }

    /// The same for another configuration.
    #[must_use]
    pub fn with(&self, config: &Config) -> Self {
        Browser {
            settings: Arc::new(config.server.login.clone()),
            public_url: config.public_url().into(),
            ..self.clone()
        }
    }

    /// The same, keeping what is used in a store, where there is one.
    #[must_use]
    pub fn keeping(self, store: Option<&Arc<Store>>) -> Self {
        match store {
            Some(store) => Browser {
                once: Once::kept_in(Arc::clone(store)),
                ..self
            },
            None => self,
        }
    }

    /// Do browsers reach us over HTTPS? Then cookies are for HTTPS alone, and named so.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// A cookie's full name: with the prefix that lets nobody but this host set it
    /// (RFC 6265bis section 4.1.3.2), where it can have one.
    pub fn name(&self, name: &str) -> String {
        match self.is_secure() {
            true => format!("__Host-countersign-{name}"),
            false => format!("countersign-{name}"),
        }
    }

    /// One of our own pages, such as `/login`, as browsers reach it: below the path of the
    /// public URL, which a proxy may take away.
    pub fn path(&self, path: &str) -> String {
        let below =
            Url::parse(&self.public_url).map(|url| url.path().trim_end_matches('/').to_owned());
        format!("{}{path}", below.unwrap_or_default())
    }

    /// The value of one of our cookies.
    pub fn cookie(&self, headers: &HeaderMap, name: &str) -> Option<String> {
        let found = self.cookies(headers, name);
        let mut exact = found.into_iter().filter(|(rest, _)| rest.is_empty());
        exact.next().map(|(_, value)| value)
    }

    /// Those of our cookies whose names begin so: what follows in each name, and its value.
    pub fn cookies(&self, headers: &HeaderMap, beginning: &str) -> Vec<(String, String)> {
        let beginning = self.name(beginning);
        let mut ours = Vec::new();
        for line in headers.get_all(COOKIE) {
            // Another site's cookie may hold whatever it likes; ours are read all the same.
            let line = String::from_utf8_lossy(line.as_bytes());
            for cookie in Cookie::split_parse(&*line).flatten() {
                if let Some(rest) = cookie.name().strip_prefix(&beginning) {
                    ours.push((rest.to_owned(), cookie.value().to_owned()));
                }
            }
        }
        ours
    }

    /// A `Set-Cookie` value: out of reach of scripts, sent along by links from other sites but
    /// by nothing else of theirs. No `seconds` = it is removed.
    pub fn set_cookie(&self, name: &str, value: &str, seconds: Option<u64>) -> String {
        let age = i64::try_from(seconds.unwrap_or(0)).unwrap_or(i64::MAX);
        let age = time::Duration::seconds(age);
        Cookie::build((self.name(name), value.to_owned()))
            .path("/")
            .http_only(true)
            .secure(self.is_secure())
            .same_site(SameSite::Lax)
            .max_age(age)
            .to_string()
    }
}

#[cfg(test)]
pub(in crate::http) mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::HeaderValue;

    use super::*;
    use crate::keys::Mode;

    /// Of a server under this URL, with a key of its own.
    pub(in crate::http) fn browser(public_url: &str) -> Browser {
        let mut config = Config::default();
        config.server.public_url = public_url.to_owned();
        let nowhere = std::env::temp_dir().join("countersign-no-such-state");
        Browser::new(&config, Sealer::open(&nowhere, Mode::Check).unwrap())
    }

    /// The headers of a browser that was given these `Set-Cookie` values.
    pub(in crate::http) fn sent(cookies: &[String]) -> HeaderMap {
        let pairs = cookies.iter().filter_map(|cookie| cookie.split(';').next());
        let line = pairs.collect::<Vec<_>>().join("; ");
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&line).unwrap())])
    }

    #[test]
    fn own_pages_are_below_the_path_of_the_public_url() {
        for (url, path) in [
            ("https://id.example", "/login"),
            ("https://id.example/", "/login"),
            ("https://id.example/a/b/", "/a/b/login"),
        ] {
            assert_eq!(browser(url).path("/login"), path);
        }
    }

    #[test]
    fn neighbours_cookie_in_any_bytes_hides_none_of_ours() {
        let browser = browser("https://id.example");
        for other in ["näme=1", "a=\u{e9}", "", "=", "a=\"x", "\u{1f36a}"] {
            let line = format!("{other}; __Host-countersign-session=x; b=\u{fc}");
            let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(COOKIE, line)]);
            let found = browser.cookie(&headers, "session");
            assert_eq!(found.as_deref(), Some("x"), "{other}");
        }
        let line = HeaderValue::from_bytes(b"a=\xff; __Host-countersign-session=x").unwrap();
        let headers = HeaderMap::from_iter([(COOKIE, line)]);
        assert_eq!(browser.cookie(&headers, "session").as_deref(), Some("x"));
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let browser = browser("https://id.example");
        let line = "a=1; __Host-countersign-session=x; __Host-countersign-session-2=y; countersign-session=z";
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(line))]);
        assert_eq!(browser.cookie(&headers, "session").as_deref(), Some("x"));
        assert_eq!(browser.cookie(&headers, "sess"), None);
        assert_eq!(
            browser.cookies(&headers, "session-"),
            [("2".into(), "y".into())]
        );
    }
}
