//! The tokens of OpenMetadata's ingestion: `airflowConfiguration` holds one, and so does each
//! workflow. They go on being read by the services that they are for; here they are judged
//! before a deployment finds out. Like there, the text may be the name of a file.

use std::path::Path;

use super::leftover::is_placeholder;
use super::mapping::Mapping;
use crate::config::key::KeyPath;
use crate::config::origins::Place;
use crate::config::report::Notice;
use crate::config::textfile;
use crate::config::values::Secret;

/// Block, the key in it that has a meaning here, the provider that the token is used with, the token.
const TOKENS: [(&str, &str, &str, &str); 2] = [
    (
        "airflowConfiguration",
        "authConfig",
        "authProvider",
        "authConfig.openmetadata.jwtToken",
    ),
    (
        "workflowConfig",
        "openMetadataServerConfig",
        "openMetadataServerConfig.authProvider",
        "openMetadataServerConfig.securityConfig.jwtToken",
    ),
];

/// A place for a token in one of OpenMetadata's blocks.
#[derive(Debug, Clone)]
pub struct Ingestion {
    /// The key.
    pub key: KeyPath,
    /// Where it stands.
    pub place: Place,
    /// What stands there.
    pub held: Held,
}

/// What stands where a token belongs.
#[derive(Debug, Clone)]
pub enum Held {
    /// A token, or what should be one.
    Token(Secret),
    /// Nothing yet, or a placeholder of the documentation.
    Nothing,
    /// The name of a secret in a manager that only the services ask.
    Elsewhere,
    /// A file that cannot be read; why.
    Unreadable(String),
}

impl Mapping<'_> {
    /// Takes the tokens out of the blocks.
    pub(super) fn ingestion(&mut self, cwd: &Path) {
        for (block, used, provider, token) in TOKENS {
            let block = KeyPath::root().child(block);
            let key = below(&block, token);
            let Some(text) = self.at(&key) else { continue };
            let text = text.as_str().unwrap_or_default().to_owned();
            self.taken.insert(block.child(used));
            let place = self.origin(&key).place;
            let held = held(&text, &place.folder(cwd));
            self.said.ingestion.push(Ingestion { key, place, held });
            self.only_with_openmetadata(&block, &below(&block, provider));
        }
    }

    /// Another provider would leave the token unused.
    fn only_with_openmetadata(&mut self, block: &KeyPath, provider: &KeyPath) {
        self.taken.insert(block.child("authProvider"));
        let name = self.text(provider).unwrap_or_default();
        if matches!(name.as_str(), "openmetadata" | "no-auth") {
            return;
        }
        let found = match self.at(provider) {
            Some(_) => "says another provider",
            None => "is missing",
        };
        let message = format!("`{provider}` {found}: the token below it is not used");
        let notice = Notice::new(self.origin(provider).place, message);
        let notice = notice.help("write authProvider: openmetadata");
        self.said.notices.push(notice);
    }
}

fn below(block: &KeyPath, path: &str) -> KeyPath {
    path.split('.')
        .fold(block.clone(), |key, segment| key.child(segment))
}

fn held(text: &str, folder: &Path) -> Held {
    let text = text.trim_end();
    let bracketed = text.starts_with(['{', '<']) && text.ends_with(['}', '>']);
    if text.is_empty() || bracketed || is_placeholder(text) {
        return Held::Nothing;
    }
    if text.starts_with("secret:") {
        return Held::Elsewhere;
    }
    // base64url has no slash: with one it is no token.
    if !text.contains('/') {
        return Held::Token(Secret::from(text.to_owned()));
    }
    match textfile::read(&folder.join(text)) {
        Ok(token) => Held::Token(Secret::from(token.trim_end().to_owned())),
        Err(why) => Held::Unreadable(why),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::{Held, Ingestion};
    use crate::config::testing::Scene;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib3QifQ.c2ln";

    /// The two snippets of OpenMetadata's guides, with this text for the token.
    fn snippets(token: &str) -> String {
        format!(
            "airflowConfiguration:\n  apiEndpoint: http://localhost:8080\n  authProvider: openmetadata\n  authConfig:\n    openmetadata:\n      jwtToken: {token}\n\
             workflowConfig:\n  openMetadataServerConfig:\n    hostPort: http://localhost:8585/api\n    authProvider: openmetadata\n    securityConfig:\n      jwtToken: {token}\n"
        )
    }

    fn found(scene: &Scene) -> Vec<Ingestion> {
        scene.load().ingestion
    }

    #[test]
    fn token_of_each_snippet_is_found_with_its_key_and_place() {
        let scene = Scene::new(&snippets(TOKEN));
        let told: Vec<String> = found(&scene)
            .iter()
            .map(|each| {
                let Held::Token(token) = &each.held else {
                    panic!("{each:?}")
                };
                assert_eq!(token.expose(), TOKEN);
                format!("{} {}", each.key, each.place)
            })
            .collect();
        assert_eq!(
            told,
            [
                "airflowConfiguration.authConfig.openmetadata.jwtToken c.yaml:6:17",
                "workflowConfig.openMetadataServerConfig.securityConfig.jwtToken c.yaml:12:17",
            ]
        );
    }

    #[test]
    fn token_is_a_secret_wherever_the_configuration_is_shown() {
        let scene = Scene::new(&snippets(TOKEN));
        let loaded = scene.load();
        assert!(!format!("{loaded:?} {:?}", loaded.ingestion).contains("eyJ"));
        assert!(!scene.notices().contains("eyJ"));
        let secrets = loaded.secrets();
        assert!(secrets.iter().any(|secret| secret.expose() == TOKEN));
    }

    #[test]
    fn file_is_read_and_what_is_no_token_is_told_apart() {
        let scene = Scene::new(&snippets("./bot.jwt"));
        std::fs::write(scene.path("bot.jwt"), format!("{TOKEN} \n")).unwrap();
        for each in found(&scene) {
            let Held::Token(token) = each.held else {
                panic!("{each:?}")
            };
            assert_eq!(token.expose(), TOKEN);
        }
        let is = |text: &str, fits: fn(&Held) -> bool| {
            let found = found(&Scene::new(&snippets(text)));
            assert_eq!(found.len(), 2, "{text}");
            assert!(
                found.iter().all(|each| fits(&each.held)),
                "{text}: {found:?}"
            );
        };
        is("./no-such-file", |held| matches!(held, Held::Unreadable(_)));
        is("\"{bot_jwt_token}\"", |held| matches!(held, Held::Nothing));
        is("<jwt_token>", |held| matches!(held, Held::Nothing));
        is("\"${BOT_TOKEN:-}\"", |held| matches!(held, Held::Nothing));
        is("secret:/openmetadata/bot", |held| {
            matches!(held, Held::Elsewhere)
        });
    }

    #[test]
    fn token_beside_another_provider_is_noticed() {
        let text =
            snippets(TOKEN).replacen("authProvider: openmetadata", "authProvider: google", 1);
        let notices = Scene::new(&text).notices();
        assert!(
            notices.contains(
                "`airflowConfiguration.authProvider` says another provider: the token below it is not used"
            ),
            "{notices}"
        );
        assert!(!notices.contains("`workflowConfig"), "{notices}");
    }
}
