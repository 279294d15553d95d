//! The guide from its first command to its last, as an operator follows it.

use std::os::unix::fs::PermissionsExt;

use countersign_tests::{Server, get, token};

use super::guide::Guide;

const TOKENS: [&str; 2] = [
    "token airflowConfiguration.authConfig.openmetadata.jwtToken",
    "token workflowConfig.openMetadataServerConfig.securityConfig.jwtToken",
];

#[test]
fn guide_holds_from_its_first_command_to_its_last() {
    let mut guide = Guide::open();
    guide.run("1. Keys");

    let config = guide.block("2. Configuration", "yaml");
    guide.folder.write("countersign.yaml", &config);
    let printed = guide.run("2. Configuration");
    let kid = guide.variable("JWT_KEY_ID");
    assert!(printed.contains("ok: the server can start"), "{printed}");
    assert!(printed.contains("tokenType: OM_USER"), "{printed}");
    for variable in ["RSA_PRIVATE_KEY_FILE_PATH", "JWT_ISSUER", "JWT_KEY_ID"] {
        let origin = format!(" via {variable}\n");
        assert!(printed.contains(&origin), "{variable}: {printed}");
    }

    let variables = [
        "RSA_PRIVATE_KEY_FILE_PATH",
        "RSA_PUBLIC_KEY_FILE_PATH",
        "JWT_ISSUER",
        "JWT_KEY_ID",
    ]
    .map(|name| (name, guide.variable(name)));
    let environment = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let server = Server::with(&guide.folder, &config, &environment);
    let sets = ["/api/v1/system/config/jwks", "/api/v1/config/jwks"];
    let [new, old] = sets.map(|path| get(server.address, path).body);
    assert_eq!(new, old, "both of OpenMetadata's paths");
    assert!(new.contains(&kid), "{new}");

    guide.run("4. A bot");
    let first = guide.token();
    assert_eq!(token::header(&first)["kid"], kid.as_str());
    let claims = token::claims(&first);
    for (claim, value) in [
        ("iss", "open-metadata.org"),
        ("sub", "ingestion-bot"),
        ("preferred_username", "ingestion-bot"),
        ("email", "ingestion-bot@open-metadata.org"),
        ("tokenType", "OM_USER"),
    ] {
        assert_eq!(claims[claim], value, "{claim}: {claims}");
    }
    assert_eq!(claims["isBot"], false);
    let seconds = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(seconds, 30 * 86_400);

    let snippets = guide.block("5. The token", "yaml");
    guide.folder.write("ingestion.yaml", snippets);
    let printed = guide.run("5. The token");
    let accepted = ": accepted, bot ingestion-bot, OpenMetadata's user ingestion-bot, expires ";
    for token in TOKENS {
        assert!(printed.contains(&format!("{token}{accepted}")), "{printed}");
    }
    assert!(
        !printed.contains(&first),
        "the token is nowhere but in its file"
    );

    let printed = guide.run("6. A new token");
    assert_ne!(guide.token(), first);
    assert!(printed.contains(accepted), "{printed}");
    let check = "countersign --config countersign.yaml --config ingestion.yaml check\n";
    let old = guide.shell(&format!("export OM_JWT_TOKEN={first}\n{check}"));
    assert!(
        old.is_ok_and(|printed| printed.contains(accepted)),
        "the old one goes on for a day"
    );

    let printed = guide.run("7. New keys");
    assert!(printed.contains("retiring"), "{printed}");
    assert!(
        printed.contains(accepted),
        "signed by the key that retires: {printed}"
    );
    let keys = get(server.address, sets[0]).json();
    let keys = keys["keys"].as_array().unwrap();
    assert!(
        keys.iter().any(|key| key["kid"] == kid.as_str()),
        "{keys:?}"
    );
    let another = "countersign --config countersign.yaml bots token ingestion-bot --audience openmetadata --expiry 30\n";
    let another = guide.shell(another).unwrap();
    assert_ne!(token::header(another.trim())["kid"], kid.as_str());
    let checked = guide.shell(&format!("export OM_JWT_TOKEN={another}{check}"));
    assert!(
        checked
            .as_ref()
            .is_ok_and(|printed| printed.contains(accepted)),
        "{checked:?}"
    );

    let revoke = "countersign --config countersign.yaml bots revoke ingestion-bot\n";
    guide.shell(revoke).unwrap();
    let revoked = guide.shell(check).unwrap_err();
    for token in TOKENS {
        assert!(
            revoked.contains(&format!("{token}: REFUSED, it was revoked here")),
            "{revoked}"
        );
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains(&first), "{log}");
}

#[test]
fn bot_of_the_guide_is_made_by_the_first_start() {
    let mut guide = Guide::open();
    guide.run("1. Keys");
    let (config, bots) = (
        guide.block("2. Configuration", "yaml"),
        guide.block("4. A bot", "yaml"),
    );
    let config = format!(
        "{config}{bots}workflowConfig:\n  openMetadataServerConfig:\n    authProvider: openmetadata\n    securityConfig: {{ jwtToken: state/ingestion-bot.jwt }}\n"
    );
    let environment = [
        ("RSA_PRIVATE_KEY_FILE_PATH", "private_key.der"),
        ("RSA_PUBLIC_KEY_FILE_PATH", "public_key.der"),
        ("JWT_KEY_ID", "own"),
    ];
    Server::with(&guide.folder, &config, &environment).stop();
    let file = guide.folder.join("state/ingestion-bot.jwt");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The name of its file is the token, here as in OpenMetadata.
    let exports = environment.map(|(name, value)| format!("export {name}={value}\n"));
    let checked = guide.shell(&format!(
        "{}countersign --config config.yaml check\n",
        exports.concat()
    ));
    assert!(
        checked
            .as_ref()
            .is_ok_and(|printed| printed.contains("accepted, bot ingestion-bot")),
        "{checked:?}"
    );
}
