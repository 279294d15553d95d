//! O11: whose certificates are believed.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::bed::{Bed, bearer, instance, outage, put_over, script};

const DISCOVERY: &str = "/.well-known/openid-configuration";

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn certificates() -> Folder {
    let name = format!("countersign-oauth-tls-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let made = Command::new("bash")
        .arg(script("tls/make_ca.sh"))
        .arg(&folder.0)
        .status();
    assert!(made.unwrap().success());
    folder
}

#[tokio::test]
async fn o11_certificates_are_checked_and_a_private_authority_is_believed_where_named() {
    let folder = certificates();
    let file = |name: &str| folder.0.join(name).display().to_string();
    let shown = |name: &str| json!({ "cert": file(&format!("{name}.pem")), "key": file(&format!("{name}.key")) });
    let [cert, key] = ["server.pem", "server.key"].map(file);
    let provider = Bed::start(&["--cert", &cert, "--key", &key]);
    let token = provider.forge(json!({})).await;
    let ca = json!({ "allow_http": null, "tls": { "ca": file("ca.pem") } });
    let mut old = shown("server");
    put_over(
        &mut old,
        json!({ "minVersion": "TLSv1", "maxVersion": "TLSv1.1", "ciphers": "DEFAULT@SECLEVEL=0" }),
    );
    for (name, shown, settings, good) in [
        ("its own", shown("server"), ca.clone(), true),
        (
            "no authority is named",
            shown("server"),
            json!({ "allow_http": null }),
            false,
        ),
        ("expired", shown("expired"), ca.clone(), false),
        ("another name", shown("wronghost"), ca.clone(), false),
        ("name in CN alone", shown("cnonly"), ca.clone(), false),
        ("asterisks", shown("wildcard"), ca.clone(), false),
        ("another authority", shown("untrusted"), ca.clone(), false),
        ("self-signed", shown("selfsigned"), ca.clone(), false),
        ("a client's", shown("client"), ca.clone(), false),
        ("TLS 1.1", old, ca.clone(), false),
    ] {
        provider.tls(shown).await;
        let before = provider.count(DISCOVERY).await;
        let oauth = instance(provider.settings(settings)).await;
        let verdict = bearer(&oauth, &token).await;
        if good {
            assert!(verdict.unwrap().is_some(), "{name}");
        } else {
            assert!(outage(verdict).contains("cannot be asked"), "{name}");
            assert_eq!(provider.count(DISCOVERY).await, before, "{name}");
        }
    }
}
