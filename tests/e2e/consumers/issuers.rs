//! Servers that mint for the consumers: one for each algorithm, and three on one
//! algorithm whose tokens a consumer must tell apart.

use std::path::{Path, PathBuf};

use countersign_tests::{Folder, Server, artifacts, countersign, post_json};

/// All of them say that they are this one; a consumer is told so, too.
pub(super) const ISSUER: &str = "https://auth.example.org";
/// `tokens.audience` when nothing is set.
pub(super) const AUDIENCE: &str = "apache-airflow";

/// A running server, whose tokens from `/auth/token/cli` live one second.
pub(super) struct Issuer {
    pub(super) algorithm: &'static str,
    pub(super) server: Server,
    _folder: Folder,
}

impl Issuer {
    /// One for each algorithm. Four of them share an RSA key, which takes longest to make.
    pub(super) fn of_each_algorithm() -> Vec<Issuer> {
        let folder = Folder::new();
        let rsa = key(&folder, "RS256", "rsa").private;
        let mut all: Vec<_> = ["RS256", "RS384", "RS512", "PS256"]
            .map(|algorithm| Issuer::start(algorithm, &rsa, ""))
            .into();
        for algorithm in ["ES256", "ES384", "EdDSA"] {
            let own = key(&folder, algorithm, algorithm).private;
            all.push(Issuer::start(algorithm, &own, ""));
        }
        all
    }

    /// One whose tokens say that they are of this type.
    pub(super) fn of_type(typ: &str) -> Issuer {
        let folder = Folder::new();
        let own = key(&folder, "ES256", "own").private;
        Issuer::start("ES256", &own, &format!("tokens: {{ typ: {typ} }}\n"))
    }

    fn start(algorithm: &'static str, key: &Path, more: &str) -> Issuer {
        let folder = Folder::new();
        folder.plugin(&artifacts::plugin("template"), "template");
        let config = format!(
            "plugins: {{ directories: [plugins] }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n\
             keys:\n  algorithm: {algorithm}\n  private_key: \"{}\"\n{more}",
            key.display()
        );
        let environment = [
            ("COUNTERSIGN_TOKENS__ISSUER", ISSUER),
            ("COUNTERSIGN_TOKENS__CLI_LIFETIME", "1s"),
        ];
        Issuer {
            algorithm,
            server: Server::with(&folder, &config, &environment),
            _folder: folder,
        }
    }

    pub(super) fn jwks(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.server.address)
    }

    pub(super) fn token(&self) -> String {
        self.server.token("ada", "door")
    }

    /// A token that expires after a second.
    pub(super) fn short_token(&self) -> String {
        let body = r#"{"username":"ada","password":"door"}"#;
        let answer = post_json(self.server.address, "/auth/token/cli", body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }
}

/// Three servers that sign with ES256.
pub(super) struct Three {
    /// Publishes its own key and the one of `retired`.
    pub(super) current: Issuer,
    /// Its key is in the set of `current` still, and in that of `other` no more.
    pub(super) retired: Issuer,
    /// The key of `current`, alone, for tokens with another audience.
    pub(super) other: Issuer,
}

impl Three {
    pub(super) fn start() -> Self {
        let folder = Folder::new();
        let (now, before) = (
            key(&folder, "ES256", "now"),
            key(&folder, "ES256", "before"),
        );
        let published = format!(
            "  extra_public: [{{ file: \"{}\", kid: before }}]\n",
            before.public.display()
        );
        Three {
            current: Issuer::start("ES256", &now.private, &published),
            retired: Issuer::start("ES256", &before.private, "  kid: before\n"),
            other: Issuer::start("ES256", &now.private, "tokens: { audience: other }\n"),
        }
    }
}

struct Key {
    private: PathBuf,
    public: PathBuf,
}

fn key(folder: &Folder, algorithm: &str, name: &str) -> Key {
    let [private, public] = ["key", "pub"].map(|kind| folder.join(&format!("{name}.{kind}")));
    let generated = countersign(
        folder.path(),
        &[
            "keys",
            "generate",
            "--algorithm",
            algorithm,
            "--private-key",
            private.to_str().unwrap(),
            "--public-key",
            public.to_str().unwrap(),
        ],
        &[],
        "",
    );
    assert_eq!(generated.code, 0, "{generated:?}");
    Key { private, public }
}
