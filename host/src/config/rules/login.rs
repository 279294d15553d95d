//! Rules about signing in with a browser: where it may lead back to, and where providers
//! send browsers back to.

use serde_json::Value;
use url::{Position, Url};

use super::Rules;
use crate::config::key::KeyPath;

impl Rules<'_> {
    pub(super) fn login(&mut self) {
        self.return_to();
        self.callbacks();
    }

    fn return_to(&mut self) {
        let key = KeyPath::parse("server.login.return_to");
        let listed = self.get("server.login.return_to").and_then(Value::as_array);
        for (index, origin) in listed.into_iter().flatten().enumerate() {
            let origin = origin.as_str().unwrap_or_default();
            if !is_origin(origin) {
                self.error_at(
                    &key.child(index.to_string()),
                    "this is not an origin",
                    "write scheme, host and port only, such as https://airflow.example.com",
                );
            }
        }
    }

    fn callbacks(&mut self) {
        let Some(backends) = self.get("backends").and_then(Value::as_object) else {
            return;
        };
        let public = self.public_url();
        let mut shared_by: Option<&str> = None;
        for (id, backend) in backends {
            let callback = backend.get("callback_url").and_then(Value::as_str);
            let callback = callback.unwrap_or_default();
            let key = KeyPath::parse("backends").child(id).child("callback_url");
            if callback.is_empty() {
                continue;
            }
            if is_callback(callback, &public, id) {
                match shared_by {
                    _ if !is_at(callback, &public, "/callback") => {}
                    None => shared_by = Some(id),
                    Some(other) => self.error_at(
                        &key,
                        &format!("`backends.{other}` has the same one: what one provider sends back could be taken for another's (RFC 9700 section 4.4)"),
                        &format!("leave it out here, and register {public}/callback/{id} at the provider"),
                    ),
                }
                continue;
            }
            self.error_at(
                &key,
                "this server does not answer there, so no login would ever end",
                &format!(
                    "leave it out ({public}/callback/{id}), or write {public}/callback; server.public_url says under which URL browsers reach this server"
                ),
            );
        }
    }

    /// `server.public_url`, or what is made of `server.listen` in its place.
    fn public_url(&self) -> String {
        let public = self.text("server.public_url").trim_end_matches('/');
        if !public.is_empty() {
            return public.to_owned();
        }
        let tls = !self.text("server.tls.certificate").is_empty();
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}", self.text("server.listen"))
    }
}

/// A scheme, a host and perhaps a port, and nothing else.
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let web = matches!(url.scheme(), "http" | "https");
    web && &url[Position::AfterPort..] == "/"
        && url.username().is_empty()
        && url.password().is_none()
}

/// Is it one of the two addresses at which the callbacks of a backend arrive?
fn is_callback(text: &str, public: &str, id: &str) -> bool {
    is_at(text, public, "/callback") || is_at(text, public, &format!("/callback/{id}"))
}

/// Is it this page of the server?
fn is_at(text: &str, public: &str, page: &str) -> bool {
    let (Ok(url), Ok(public)) = (Url::parse(text), Url::parse(public)) else {
        return false;
    };
    let below = public.path().trim_end_matches('/');
    url.origin() == public.origin()
        && url.username().is_empty()
        && url.password().is_none()
        && url[Position::AfterPort..] == format!("{below}{page}")
}

#[cfg(test)]
mod tests {
    use crate::config::testing::Scene;

    #[test]
    fn o04_callback_is_of_one_backend_alone() {
        let with = |id: &str| {
            Scene::new(&format!(
                "server: {{ public_url: \"https://id.example\" }}\nbackends:\n  callback: {{ plugin: ldap, callback_url: \"https://id.example/callback/callback\" }}\n  one: {{ plugin: ldap, callback_url: \"https://id.example/callback\" }}\n  two: {{ plugin: ldap, callback_url: \"https://id.example/callback{id}\" }}\n"
            ))
        };
        with("/two").load();
        let report = with("").report();
        assert!(
            report.contains("error: `backends.two.callback_url`: `backends.one` has the same one:")
                && report.contains("help: leave it out here, and register https://id.example/callback/two at the provider"),
            "{report}"
        );
    }

    #[test]
    fn o06_callback_is_one_of_our_own_to_the_letter() {
        let with = |callback: &str| {
            Scene::new(&format!(
                "server: {{ public_url: \"https://id.example/cs/\" }}\nbackends:\n  sso: {{ plugin: ldap, callback_url: \"{callback}\" }}\n"
            ))
        };
        for good in [
            "",
            "https://id.example/cs/callback",
            "https://id.example/cs/callback/sso",
            "https://id.example:443/cs/callback",
        ] {
            with(good).load();
        }
        for bad in [
            "https://id.example/callback",
            "https://id.example/cs/callback/",
            "https://id.example/cs/callback/other",
            "https://id.example/cs/callback?x=1",
            "https://id.example/cs/callback#x",
            "http://id.example/cs/callback",
            "https://id.example:8443/cs/callback",
            "https://evil.example/cs/callback",
            "https://user@id.example/cs/callback",
        ] {
            let report = with(bad).report();
            assert!(
                report.contains("error: `backends.sso.callback_url`: this server does not answer there, so no login would ever end\n  --> c.yaml:3:")
                    && report.contains("help: leave it out (https://id.example/cs/callback/sso), or write https://id.example/cs/callback;"),
                "{bad}: {report}"
            );
        }
    }

    #[test]
    fn o06_return_to_lists_origins_and_nothing_else() {
        let with = |origin: &str| {
            Scene::new(&format!(
                "server: {{ login: {{ return_to: [\"{origin}\"] }} }}\n"
            ))
        };
        for good in [
            "https://airflow.example.com",
            "https://airflow.example.com/",
            "http://localhost:8080",
            "http://[::1]:8080",
        ] {
            with(good).load();
        }
        for bad in [
            "*",
            "airflow.example.com",
            "https://airflow.example.com/home",
            "https://a.example?x",
            "https://u@a.example",
            "javascript:alert(1)",
            "file:///",
        ] {
            let report = with(bad).report();
            assert!(
                report.contains("error: `server.login.return_to.0`: this is not an origin"),
                "{bad}: {report}"
            );
        }
    }
}
