//! No text whatever makes a panic, or a document that is no YAML.

use std::path::Path;

use super::*;
use crate::config::yaml;

/// A small generator of its own: tests repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap_or_default()
    }
}

/// A document, and remarks of one line.
pub(super) fn is_sound(text: &str) {
    let imported = import(text);
    let mut findings = Vec::new();
    let tree = yaml::parse(&imported.yaml, Path::new("x.yaml"), &mut findings);
    assert!(
        tree.is_some() && findings.is_empty(),
        "{text:?}\n{}\n{findings:?}",
        imported.yaml
    );
    for remark in &imported.remarks {
        assert!(!remark.to_string().contains('\n'), "{text:?}: {remark}");
    }
}

#[test]
fn any_text_becomes_a_document() {
    let mut random = Random(0x5eed);
    let pieces = [
        "AUTH_TYPE",
        "AUTH_LDAP",
        "AUTH_LDAP_SERVER",
        "AUTH_ROLES_MAPPING",
        "AUTH_LDAP_SEARCH",
        "OAUTH_PROVIDERS",
        "=",
        "==",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "'",
        "\"",
        "'''",
        "\\",
        "\n",
        "\n    ",
        "#",
        "r'",
        "f'",
        "b'",
        "\\x4",
        "\\u12",
        "\\N{",
        "0x",
        "1e",
        "-",
        "os.environ.get(",
        "'a'",
        "\"k\"",
        "if",
        "class",
        "def",
        "lambda",
        "for",
        ";",
        "é",
        "\u{2028}",
        "\u{85}",
        "\u{7f}",
        "\0",
        "${",
        "%s",
        "name",
        "True",
        "None",
        "9223372036854775808",
        ".",
        "@",
        "\r",
        "\u{feff}",
        " ",
    ];
    for _ in 0..1_000 {
        let count = random.below(40);
        let text: String = (0..count)
            .map(|_| pieces[random.below(pieces.len())])
            .collect();
        is_sound(&text);
        is_sound(&format!(
            "AUTH_TYPE = 2\nAUTH_LDAP_SERVER = 'ldap://a'\nAUTH_ROLES_MAPPING = {{'{text}': ['{text}']}}"
        ));
        is_sound(&format!(
            "AUTH_TYPE = 4\nOAUTH_PROVIDERS = [{{'name': \"{text}\", '{text}': '{text}'}}]"
        ));
        for name in ["azure", "github", "google", "keycloak", &text] {
            is_sound(&format!(
                "AUTH_TYPE = 4\nOAUTH_PROVIDERS = [{{'name': '{name}', 'whitelist': ['@{text}'], 'remote_app': {{\
                 'client_id': '{text}', 'api_base_url': 'https://{text}', 'server_metadata_url': '{text}', \
                 'jwks_uri': '{text}', 'authorize_params': {{'{text}': '{text}'}}, \
                 'client_kwargs': {{'scope': '{text}', 'tenant_id': '{text}', '{text}': '{text}'}}}}}}]"
            ));
        }
        let bytes: Vec<u8> = (0..count).map(|_| random.below(256) as u8).collect();
        is_sound(&String::from_utf8_lossy(&bytes));
    }
    for deep in ["[", "(", "{", "{'a':", "f(", "'", "\\", "a="] {
        is_sound(&format!("AUTH_TYPE = {}", deep.repeat(50_000)));
    }
}
