//! Tokens of our bots and users before OpenMetadata's own rules.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_tests::openmetadata::{OpenMetadata, Person};
use countersign_tests::{Folder, Server, get, token};

use super::{ask, identity, refused};
use crate::run;

const CONFIG: &str = r#"
bots: { allow_unlimited: true }
plugins: { directories: [plugins] }
backends:
  door: { plugin: template, config: { password: door } }
tokens:
  issuer: open-metadata.org
  claims: { preferred_username: "{username}", roles: "{roles}" }
  audiences:
    openmetadata:
      keys: own
      claims: { sub: "{username}", username: "{username}", preferred_username: "{username}", roles: "{roles}", isBot: false, tokenType: OM_USER }
    stored:
      keys: own
      claims: { sub: "{username}", isBot: true, tokenType: BOT }
"#;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn server(folder: &Folder) -> Server {
    folder.plugin(
        &countersign_tests::artifacts::plugin("template"),
        "template",
    );
    Server::start(folder, CONFIG)
}

fn bot(folder: &Folder, arguments: &[&str]) -> String {
    let done = run(folder, &[&["bots"], arguments].concat(), &[]);
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout.trim().to_owned()
}

#[test]
fn token_of_a_bot_passes_with_every_expiry() {
    let folder = Folder::new();
    let server = server(&folder);
    bot(
        &folder,
        &["create", "ingestion-bot", "--role", "DataConsumer"],
    );
    let keys = get(server.address, "/api/v1/system/config/jwks").json();
    let openmetadata = OpenMetadata::trusting(keys);
    let make = |expiry: &[&str]| {
        let audience = ["--audience", "openmetadata"];
        let named = ["token", "ingestion-bot", "--expiry"];
        bot(&folder, &[&named[..], expiry, &audience].concat())
    };
    for expiry in ["OneHour", "1", "7", "30", "60", "90"] {
        let jwt = make(&[expiry]);
        let person = openmetadata.authenticate(&format!("Bearer {jwt}"), now());
        let expected = Person {
            name: "ingestion-bot".into(),
            email: "ingestion-bot@open-metadata.org".into(),
            is_bot: false,
            roles: vec!["DataConsumer".into()],
        };
        assert_eq!(person, Ok(expected), "{expiry}: {}", token::claims(&jwt));
        let exp = token::claims(&jwt)["exp"].as_u64().unwrap();
        let late = openmetadata.authenticate(&format!("Bearer {jwt}"), exp + 1);
        assert_eq!(late.unwrap_err().message, "Expired token!");
    }
    let forever = make(&["Unlimited", "--allow-unlimited"]);
    assert!(token::claims(&forever)["exp"].is_null());
    let in_a_century = now() + 3_155_760_000;
    let person = openmetadata.authenticate(&format!("Bearer {forever}"), in_a_century);
    assert!(person.is_ok(), "{person:?}");
    // Before us they are good for their audience alone, and as long as nobody revokes them.
    let answer = ask(&server, "?audience=openmetadata", &forever);
    assert_eq!(answer.status, 200, "{answer:?}");
    let [subject, user, _, roles, _] = identity(&answer);
    assert_eq!(
        (subject, user, roles),
        ("ingestion-bot", "ingestion-bot", "DataConsumer")
    );
    refused(&ask(&server, "", &forever), 401, "invalid_token");
    bot(&folder, &["revoke", "ingestion-bot"]);
    refused(
        &ask(&server, "?audience=openmetadata", &forever),
        401,
        "invalid_token",
    );
}

#[test]
fn rules_of_openmetadata_are_strict_where_it_is() {
    let folder = Folder::new();
    let server = server(&folder);
    bot(&folder, &["create", "ci"]);
    let jwt = bot(
        &folder,
        &["token", "ci", "--expiry", "1", "--audience", "openmetadata"],
    );
    let keys = |path: &str| OpenMetadata::trusting(get(server.address, path).json());
    let mut openmetadata = keys("/api/v1/config/jwks");
    let message = |openmetadata: &OpenMetadata, authorization: &str| {
        let made = openmetadata.authenticate(authorization, now());
        made.map_or_else(|refused| refused.message, |person| person.name)
    };
    let bearer = format!("Bearer {jwt}");
    assert_eq!(message(&openmetadata, &bearer), "ci");
    assert_eq!(
        message(&openmetadata, &jwt),
        "Not Authorized! Token not present"
    );
    assert_eq!(
        message(&openmetadata, "Bearer x"),
        "Not Authorized! Invalid token."
    );
    let (signed, _) = bearer.rsplit_once('.').unwrap();
    assert!(message(&openmetadata, &format!("{signed}.AAAA")).ends_with("Public key mismatch."));
    // Keys of its own: a token of another audience of ours is nobody there.
    let other = server.token("ada", "door");
    let unknown = message(&openmetadata, &format!("Bearer {other}"));
    assert!(unknown.contains("Token signing key not found"), "{unknown}");
    assert_eq!(
        message(&keys("/.well-known/jwks.json"), &format!("Bearer {other}")),
        "ada"
    );
    // It takes isBot: true only for the one token that it has stored.
    let named = bot(
        &folder,
        &["token", "ci", "--expiry", "1", "--audience", "stored"],
    );
    let mut stored = keys("/jwks/stored.json");
    let named = format!("Bearer {named}");
    assert!(message(&stored, &named).contains("does not match the current bot's token"));
    stored
        .bot_tokens
        .insert("ci".into(), named["Bearer ".len()..].to_owned());
    assert_eq!(message(&stored, &named), "ci");
    // People are held against the domain, and one without an address has none.
    openmetadata.enforce_domain = true;
    assert!(message(&openmetadata, &bearer).contains("principal domain"));
    openmetadata.algorithm = "RS512";
    assert!(message(&openmetadata, &bearer).ends_with("Public key mismatch."));
}
