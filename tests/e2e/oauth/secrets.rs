//! Where single sign-on takes secrets in: tokens, codes, cookies, what the provider says in its errors, and our own
//! password there. Every place where text comes out is searched.

use countersign_tests::oidc::{Oidc, Options};
use countersign_tests::{Answer, Folder, Server, get, send};
use serde_json::json;

use crate::run;
use crate::traces::{Collector, holds};

const CANARY: &str = "canary-5c1d";
/// What the provider says of an error is told to the operator, and to nobody else.
const REASON: &str =
    r#"{"error":"invalid_grant","error_description":"what the operator may read"}"#;

#[test]
fn c07_single_sign_on_tells_no_token_no_code_and_no_client_secret() {
    let client = json!({
        "client_id": "ours", "client_secret": format!("{CANARY}-client"), "grant_types": ["authorization_code"],
        "redirect_uris": "web",
    });
    let provider = Oidc::with(Options {
        config: json!({ "clients": [client] }),
        ..Options::default()
    });
    let collector = Collector::start();
    let folder = Folder::new();
    let config = format!(
        "server: {{ throttle: {{ user: 0, address: 0 }} }}\nbackends:\n  sso:\n    plugin: oauth\n    config: {{ provider: keycloak, issuer: \"{}\", audiences: [\"{}\"], algorithms: [RS256], \
         allow_http: true, client_id: ours, client_secret: {CANARY}-client, cache: {{ refetch: 1ms }} }}\n",
        provider.issuer,
        Oidc::AUDIENCE,
    );
    let endpoint = format!("http://{}", collector.address);
    let variables = [
        ("RUST_LOG", "trace"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
    ];
    let mut host = Host {
        server: Server::with(&folder, &config, &variables),
        seen: String::new(),
        secrets: Vec::new(),
    };

    let tokens = Tokens::of(&provider);
    host.bearers(&tokens);
    for body in ["{", CANARY, REASON] {
        for path in ["/token", "/token/introspection", "/jwks"] {
            provider.fault(&json!({ "path": path, "status": 400, "body": body, "count": 1 }));
        }
        host.bearers(&tokens);
        provider.reset();
    }
    provider.stop();
    host.bearers(&tokens);
    provider.again();
    let callback = format!("http://{}/callback/sso", host.server.address);
    provider.allow(&[&callback], &[]);
    host.stray_callbacks();
    provider.fault(&json!({ "path": "/token", "status": 400, "body": REASON, "count": 1 }));
    assert_ne!(host.browser(&provider), 303);
    assert_eq!(host.browser(&provider), 303);

    let Host {
        server,
        mut seen,
        secrets,
    } = host;
    for arguments in [
        &["check"][..],
        &["config", "show"],
        &["config", "show", "--json"],
        &["reload"],
    ] {
        seen += &format!("{:?}", run(&folder, arguments, &[]));
    }
    for path in ["/readyz", "/metrics"] {
        seen += &get(server.admin, path).body;
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    let sent = collector.all();
    assert!(log.contains(r#""target":"audit""#), "a log to search");
    assert!(holds(&sent, "backend sso"), "there are spans to search");
    for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
        assert_eq!(place(&log, secret), None, "{secret} in the log");
        assert_eq!(place(&seen, secret), None, "{secret} in an answer");
        assert!(!holds(&sent, secret), "{secret} in a trace");
    }
}

/// Tokens as they come in, good and bad.
struct Tokens(Vec<String>);

impl Tokens {
    fn of(provider: &Oidc) -> Self {
        let forged = |how: serde_json::Value| {
            let mut what = json!({ "user": "bob", "claims": { "x": CANARY } });
            what.as_object_mut()
                .unwrap()
                .extend(how.as_object().unwrap().clone());
            provider.forge(&what)
        };
        Tokens(vec![
            provider.token("bob"),
            provider.opaque("bob"),
            forged(json!({ "alg": "none" })),
            forged(json!({ "foreignKey": true })),
            forged(json!({ "header": { "kid": "unheard-of" } })),
            format!("{CANARY}-opaque"),
        ])
    }
}

/// The server, what it told, and what it must not have told.
struct Host {
    server: Server,
    seen: String,
    secrets: Vec<String>,
}

impl Host {
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = send(self.server.address, method, path, headers, body.as_bytes());
        // What was asked for may be told: the token, the way to the provider.
        if ![200, 201, 302, 303].contains(&answer.status) {
            self.seen += &format!("{answer:?}");
        }
        answer
    }

    fn bearers(&mut self, tokens: &Tokens) {
        for token in &tokens.0 {
            let authorization = format!("Bearer {token}");
            let headers = [("authorization", authorization.as_str())];
            let answer = self.ask("POST", "/auth/token", &headers, "");
            if answer.status == 201 {
                let ours = answer.json()["access_token"].as_str().unwrap().to_owned();
                self.secrets
                    .push(ours.rsplit_once('.').unwrap().1.to_owned());
            }
            let last = token.rsplit('.').find(|part| !part.is_empty());
            self.secrets.extend(last.map(str::to_owned));
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let body = format!(
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:access_token&client_secret={CANARY}-sent&code={CANARY}-code"
            );
            self.ask("POST", "/oauth2/token", &form, &body);
        }
    }

    /// Begins a login: where the provider is, and the cookies that were set.
    fn begin(&mut self) -> (String, String) {
        let answer = self.ask("GET", "/login/sso", &[], "");
        let way = answer
            .header("location")
            .unwrap_or_else(|| panic!("{answer:?}"));
        (way.to_owned(), cookies(&answer).join("; "))
    }

    /// Callbacks of logins that never were.
    fn stray_callbacks(&mut self) {
        let (_, cookie) = self.begin();
        for query in [
            format!("code={CANARY}-code&state={CANARY}-state"),
            format!("error=access_denied&error_description=told&state={CANARY}-state"),
            format!("code={CANARY}-code"),
        ] {
            let path = format!("/callback/sso?{query}");
            for cookie in ["", &cookie, &format!("countersign-login={CANARY}-cookie")] {
                self.ask("GET", &path, &[("cookie", cookie)], "");
            }
        }
    }

    /// A whole login, and the status at its end.
    fn browser(&mut self, provider: &Oidc) -> u16 {
        let (way, cookie) = self.begin();
        let back = provider.follow(&way, "bob");
        let (_, query) = back.split_once('?').unwrap();
        let code = query.split('&').find_map(|part| part.strip_prefix("code="));
        let path = format!("/callback/sso?{query}");
        let answer = self.ask("GET", &path, &[("cookie", &cookie)], "");
        let values = cookies(&answer).into_iter().chain([cookie]);
        let values = values.filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
        // One that is taken away is empty.
        self.secrets.extend(values.filter(|value| value.len() > 20));
        self.secrets.push(code.unwrap().to_owned());
        answer.status
    }
}

/// The cookies that an answer sets, as `name=value`.
fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    set.map(|(_, cookie)| cookie.split(';').next().unwrap().to_owned())
        .collect()
}

/// Where a text holds a secret, for whoever reads the failure.
fn place(text: &str, secret: &str) -> Option<String> {
    let before = text[..text.find(secret)?].chars().rev().take(300);
    let before: Vec<char> = before.collect();
    Some(before.into_iter().rev().collect())
}
