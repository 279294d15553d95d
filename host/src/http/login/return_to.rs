//! Where a login may lead: our own pages, and the origins that `server.login.return_to`
//! lists. All else is an open redirect (RFC 9700 section 4.11).

use url::{Position, Url};

use crate::http::browser::Browser;

/// Longer ones do not fit into a cookie beside the rest.
const LONGEST: usize = 1_500;

/// The place that was asked for, if a login may lead there, ready for `Location`: a path of
/// ours, or a whole URL of a listed origin.
pub fn allowed(browser: &Browser, asked: Option<&str>) -> Option<String> {
    let asked = asked.filter(|asked| !asked.is_empty())?;
    let allowed = checked(browser, asked);
    if allowed.is_none() {
        tracing::debug!(target: "http", "a login was asked to lead to a place that server.login.return_to does not list");
    }
    allowed
}

/// The same, or our own page where there is none.
pub(super) fn or_login(browser: &Browser, asked: Option<&str>) -> String {
    allowed(browser, asked).unwrap_or_else(|| browser.path(super::LOGIN))
}

fn checked(browser: &Browser, asked: &str) -> Option<String> {
    // What parsers of URLs, and browsers, leave out or read as a slash.
    let odd = |c: char| c == '\\' || c.is_control() || c.is_whitespace();
    if asked.len() > LONGEST || asked.contains(odd) {
        return None;
    }
    let public = Url::parse(&browser.public_url).ok()?;
    let url = match asked.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => return None,
        Some(_) => public.join(asked).ok()?,
        None => Url::parse(asked).ok()?,
    };
    let web = matches!(url.scheme(), "http" | "https");
    if !web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    if url.origin() == public.origin() {
        let path = &url[Position::BeforePath..];
        // `/a/..//evil.example` has become one.
        return (!path.starts_with("//")).then(|| path.to_owned());
    }
    let listed = &browser.settings.return_to;
    let mut listed = listed.iter().filter_map(|origin| Url::parse(origin).ok());
    listed
        .any(|listed| listed.origin() == url.origin())
        .then(|| url.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Config;
    use crate::keys::{Mode, Sealer};

    fn browser() -> Browser {
        let mut config = Config::default();
        config.server.public_url = "https://id.example/cs".into();
        config.server.login.return_to = vec![
            "https://airflow.example".into(),
            "http://localhost:8080".into(),
        ];
        let nowhere = std::env::temp_dir().join("countersign-no-such-state");
        Browser::new(&config, Sealer::open(&nowhere, Mode::Check).unwrap())
    }

    #[test]
    fn o06_own_pages_and_listed_origins_are_allowed() {
        let browser = browser();
        for (asked, expected) in [
            ("/", "/"),
            (
                "/oauth2/authorize?a=b&c=%2F%2Fx",
                "/oauth2/authorize?a=b&c=%2F%2Fx",
            ),
            ("/a/../b", "/b"),
            ("/a?x=//evil.example", "/a?x=//evil.example"),
            ("/ä", "/%C3%A4"),
            ("https://id.example/x#y", "/x#y"),
            ("https://airflow.example", "https://airflow.example/"),
            (
                "https://AIRFLOW.example:443/home?x",
                "https://airflow.example/home?x",
            ),
            ("http://localhost:8080/", "http://localhost:8080/"),
        ] {
            assert_eq!(
                allowed(&browser, Some(asked)).as_deref(),
                Some(expected),
                "{asked}"
            );
        }
    }

    #[test]
    fn o06_all_else_is_no_place_to_go() {
        let browser = browser();
        for asked in [
            "",
            "x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/a/..//evil.example",
            "/.//evil.example",
            "/%2e//evil.example",
            "/a\r\nSet-Cookie: x=1",
            "javascript:alert(1)",
            "data:text/html,x",
            "https:evil.example",
            "https:/evil.example",
            "https://evil.example",
            "http://airflow.example/",
            "https://airflow.example:8443/",
            "https://airflow.example.evil.example/",
            "https://airflow.example@evil.example/",
            "https://u@airflow.example/",
            "https://id.example@evil.example/",
            "https://id.example//evil.example",
            "http://localhost:8081/",
            "ftp://airflow.example/",
        ] {
            assert_eq!(allowed(&browser, Some(asked)), None, "{asked}");
        }
        let long = format!("/{}", "x".repeat(LONGEST));
        assert_eq!(allowed(&browser, Some(&long)), None);
        assert_eq!(or_login(&browser, Some("//evil")), "/cs/login");
    }

    /// Whatever passes leads to us or to a listed origin, for the parser that browsers have.
    #[test]
    fn o06_what_is_allowed_resolves_to_us_or_a_listed_origin_whatever_was_asked() {
        let browser = browser();
        let public = Url::parse(&browser.public_url).unwrap();
        let good = [
            "https://id.example",
            "https://airflow.example",
            "http://localhost:8080",
        ];
        let good = good.map(|origin| Url::parse(origin).unwrap().origin());
        let parts = [
            "/",
            "//",
            "\\",
            "..",
            ".",
            "%2e",
            "%2f",
            "%5c",
            "@",
            ":",
            "?",
            "#",
            "\t",
            "\n",
            " ",
            "https:",
            "http://",
            "javascript:",
            "evil.example",
            "id.example",
            "airflow.example",
            "localhost:8080",
            "a",
            "é",
            "\u{ff0f}",
            "\u{3002}",
            "\0",
            "[::1]",
            ":443",
            "/cs",
        ];
        let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut passed = 0;
        for _ in 0..200_000 {
            let mut asked = String::new();
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let mut bits = seed;
            for _ in 0..=(seed >> 61) {
                asked += parts[usize::try_from(bits % parts.len() as u64).unwrap()];
                bits /= parts.len() as u64;
            }
            let Some(place) = allowed(&browser, Some(&asked)) else {
                continue;
            };
            passed += 1;
            let url = public.join(&place).unwrap();
            assert!(good.contains(&url.origin()), "{asked:?} → {place}");
            assert!(
                place.is_ascii() && !place.contains(['\r', '\n', '\\']),
                "{asked:?}"
            );
            assert_eq!(
                allowed(&browser, Some(&place)).as_deref(),
                Some(&*place),
                "{asked:?}"
            );
        }
        assert!(passed > 1_000, "{passed}");
    }
}
