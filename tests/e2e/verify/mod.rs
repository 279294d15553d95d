//! Forward-auth: `GET /auth/verify`, by hand and behind the real proxies that ask it.

mod answers;
mod command;
mod openmetadata;
mod proxies;
mod trust;

use countersign_tests::{Answer, Folder, Server, artifacts, send};

/// The answer about a request with this token; `query` with its question mark.
fn ask(server: &Server, query: &str, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    ask_with(server, query, &[("authorization", &bearer)])
}

fn ask_with(server: &Server, query: &str, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/auth/verify{query}");
    send(server.address, "GET", &path, headers, b"")
}

/// The five identity headers, in the order of the configuration.
fn identity(answer: &Answer) -> [&str; 5] {
    ["subject", "user", "email", "roles", "issuer"].map(|name| {
        let name = format!("x-auth-{name}");
        let mut lines = answer.headers.iter().filter(|(key, _)| *key == name);
        let (_, value) = lines.next().unwrap_or_else(|| panic!("{name}: {answer:?}"));
        assert!(lines.next().is_none(), "{name} twice: {answer:?}");
        value.as_str()
    })
}

/// Refused: with a challenge, and without a word that a service could take for a user.
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let expected = match error {
        "" => r#"Bearer realm="countersign""#.to_owned(),
        error => format!(r#"Bearer realm="countersign", error="{error}""#),
    };
    assert_eq!(challenge, expected, "{answer:?}");
    assert!(
        answer
            .headers
            .iter()
            .all(|(name, _)| !name.starts_with("x-auth-"))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// A server whose users have the roles that their names say: the fixture `answers`.
fn with_claims(folder: &Folder, more: &str) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = format!(
        r#"
plugins: {{ directories: [plugins] }}
backends:
  door: {{ plugin: template, config: {{ password: door }}, registration: true, roles: {{ registration: [Op, "a,Admin"] }} }}
tokens:
  issuer: https://id.example
  claims: {{ preferred_username: "{{username}}", roles: "{{roles}}" }}
  audiences:
    lake: {{ aud: "https://lake.example" }}
{more}
"#
    );
    Server::start(folder, &config)
}
