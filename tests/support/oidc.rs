//! An OpenID provider of its own, through `testbed/oidc-provider/`; who and what is in it is said there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::client::{Answer, get, post_json, send};
use crate::folder::Folder;
use crate::peer::{Peer, script};

/// A provider, running or stopped; it ends with this value, or with this process.
pub struct Oidc {
    /// Its `iss`, to the letter.
    pub issuer: String,
    options: Options,
    folder: Folder,
    facts: Mutex<Started>,
}

struct Started {
    port: String,
    control: SocketAddr,
    peer: Option<Peer>,
}

/// How it is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its issuer is below the host; Keycloak's are such.
    pub path: &'static str,
    /// https, with a certificate of [`Oidc::ca`].
    pub tls: bool,
    /// How many seconds its access tokens live.
    pub access_ttl: u32,
    /// Where logins of the client `web` may come back to, beside what [`Oidc::allow`] adds.
    pub redirects: Vec<String>,
    /// More clients, users and a default resource, as its `--config` has them.
    pub config: Value,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            path: "/realms/test",
            tls: false,
            access_ttl: 300,
            redirects: Vec::new(),
            config: json!({}),
        }
    }
}

impl Oidc {
    /// The `aud` of the JWTs that it issues and forges.
    pub const AUDIENCE: &str = "urn:testbed:api";
    /// A confidential client for logins in the browser, and its secret.
    pub const WEB: [&str; 2] = ["web", "web-secret"];
    /// A client that may only ask about tokens, and its secret.
    pub const INTROSPECTION: [&str; 2] = ["rs", "rs-secret"];

    /// Starts it on a free port, by http.
    pub fn start() -> Self {
        Oidc::with(Options::default())
    }

    /// The same by https.
    pub fn secure() -> Self {
        Oidc::with(Options {
            tls: true,
            ..Options::default()
        })
    }

    /// As the options say.
    pub fn with(options: Options) -> Self {
        let folder = Folder::new();
        let peer = run(&options, &folder, "0");
        Oidc {
            issuer: peer.facts["OIDC_ISSUER"].clone(),
            facts: Mutex::new(Started::of(peer)),
            options,
            folder,
        }
    }

    /// One that is down: its issuer is known, its port is free, [`Oidc::again`] starts it.
    pub fn down(options: Options) -> Self {
        let provider = Oidc::with(options);
        provider.stop();
        provider
    }

    /// The certificate of the authority that signed its own; beside it lie the others of `tls/make_ca.sh`.
    pub fn ca(&self) -> PathBuf {
        self.folder.join("tls/ca.pem")
    }

    /// Of the provider itself.
    pub fn address(&self) -> SocketAddr {
        let port = &self.facts.lock().unwrap().port;
        format!("127.0.0.1:{port}").parse().unwrap()
    }

    /// Ends it; who asks is refused. Its keys are kept for [`Oidc::again`], what it remembers is not.
    pub fn stop(&self) {
        let peer = self.facts.lock().unwrap().peer.take();
        drop(peer);
    }

    /// Starts it again on the same port.
    pub fn again(&self) {
        let mut facts = self.facts.lock().unwrap();
        let peer = run(&self.options, &self.folder, &facts.port);
        *facts = Started::of(peer);
    }

    /// New keys: `replace` (the old are gone), `add` (new first, the old stay) or `publish` (new last: not yet signing).
    pub fn rotate(&self, mode: &str) {
        self.control("rotate", &json!({ "mode": mode }));
    }

    /// How it answers the next requests for a path below its issuer, such as
    /// `{"path": "/jwks", "status": 503, "count": 2}`; also `delay_ms`, `hangup`, `body`, `headers`.
    pub fn fault(&self, fault: &Value) {
        self.control("fault", fault);
    }

    /// Ends all faults and begins to count anew.
    pub fn reset(&self) {
        self.control("reset", &json!({}));
    }

    /// How many requests there were for a path below the issuer, such as `/jwks`.
    pub fn count(&self, path: &str) -> u64 {
        let control = self.facts.lock().unwrap().control;
        get(control, "/_test/stats").json()[path]
            .as_u64()
            .unwrap_or(0)
    }

    /// A token that it signs although nobody logged in, with all that can be wrong with one:
    /// `{"user", "alg", "claims", "drop", "header", "dropHeader", "foreignKey", "tamper"}`.
    pub fn forge(&self, what: &Value) -> String {
        let answer = self.control("token", what);
        answer["token"].as_str().unwrap().to_owned()
    }

    /// A sound access token of a user.
    pub fn token(&self, user: &str) -> String {
        self.forge(&json!({ "user": user }))
    }

    /// Allows the client `web` to be led back to these addresses, after a login and after a logout.
    pub fn allow(&self, redirects: &[&str], after_logout: &[&str]) {
        self.control(
            "redirect",
            &json!({ "uris": redirects, "post_logout": after_logout }),
        );
    }

    /// What the token endpoint answers after a user has logged in, without a browser, at the client `native`;
    /// further options are those of `login.mjs`, such as `["--resource", Oidc::AUDIENCE]`.
    pub fn login(&self, user: &str, options: &[&str]) -> Value {
        let mut login = Command::new(script("oidc-provider/provider.sh"));
        login.args(["login", &self.issuer, "--user", user]);
        login.args(options);
        if self.options.tls {
            login.env("NODE_EXTRA_CA_CERTS", self.ca());
        }
        let done = login.stderr(Stdio::inherit()).output().unwrap();
        assert!(done.status.success(), "{user} cannot log in: {done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// An opaque access token of a user who logged in.
    pub fn opaque(&self, user: &str) -> String {
        let tokens = self.login(user, &[]);
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// Follows an authorization request without a browser until it leads back, and returns that whole address.
    /// By http only.
    pub fn follow(&self, authorization: &str, user: &str) -> String {
        let mut url = authorization.to_owned();
        let mut cookies: Vec<(String, String)> = Vec::new();
        let origin = format!("http://{}", self.address());
        while let Some(path) = url.strip_prefix(&origin) {
            let jar: Vec<_> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let jar = jar.join("; ");
            let headers = [("cookie", jar.as_str()), ("x-test-login", user)];
            let answer = send(self.address(), "GET", path, &headers, b"");
            for (_, set) in answer.headers.iter().filter(|(k, _)| k == "set-cookie") {
                let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
                cookies.retain(|(known, _)| known != name);
                cookies.push((name.to_owned(), value.to_owned()));
            }
            let Some(next) = answer.header("location") else {
                panic!("{user} is led nowhere from {url}: {answer:?}")
            };
            url = match next.starts_with('/') {
                true => format!("{origin}{next}"),
                false => next.to_owned(),
            };
        }
        url
    }

    fn control(&self, what: &str, body: &Value) -> Value {
        let control = self.facts.lock().unwrap().control;
        let answer: Answer = post_json(control, &format!("/_test/{what}"), &body.to_string());
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        answer.json()
    }
}

impl Started {
    fn of(peer: Peer) -> Self {
        let control = peer.facts["OIDC_CONTROL"].as_str();
        let control = control.trim_start_matches("http://");
        Started {
            port: peer.facts["OIDC_PORT"].clone(),
            control: control.trim_end_matches("/_test").parse().unwrap(),
            peer: Some(peer),
        }
    }
}

fn run(options: &Options, folder: &Folder, port: &str) -> Peer {
    let mut command = Command::new(script("oidc-provider/provider.sh"));
    command.arg("run");
    if options.tls {
        command.arg("--tls").arg(folder.join("tls"));
    }
    let config = folder.write("provider.json", options.config.to_string());
    command.args(["--port", port, "--path", options.path]);
    command.args(["--access-ttl", &options.access_ttl.to_string()]);
    command.arg("--keys").arg(folder.join("keys.json"));
    command.arg("--config").arg(config);
    for redirect in &options.redirects {
        command.args(["--redirect", redirect]);
    }
    Peer::start(command, "OIDC_PID")
}
