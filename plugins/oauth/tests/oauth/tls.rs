//! O11: whose certificates are believed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::bed::{Bed, bearer, instance, outage, script};

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

fn serving(folder: &Path, name: &str) -> Bed {
    let file = |kind: &str| folder.join(format!("{name}.{kind}")).display().to_string();
    Bed::start(&["--cert", &file("pem"), "--key", &file("key")])
}

#[tokio::test]
async fn o11_certificates_are_checked_and_a_private_authority_is_believed_where_named() {
    let folder = certificates();
    let ca = folder.0.join("ca.pem").display().to_string();
    let own = json!({ "allow_http": null, "tls": { "ca": ca } });
    for (name, settings, good) in [
        ("server", own.clone(), true),
        ("server", json!({ "allow_http": null }), false),
        ("expired", own.clone(), false),
        ("wronghost", own.clone(), false),
        ("untrusted", own.clone(), false),
        ("selfsigned", own.clone(), false),
        ("cnonly", own.clone(), false),
        ("wildcard", own.clone(), false),
    ] {
        let provider = serving(&folder.0, name);
        let oauth = instance(provider.settings(settings)).await;
        let token = provider.forge(json!({})).await;
        let verdict = bearer(&oauth, &token).await;
        if good {
            assert!(verdict.unwrap().is_some());
        } else {
            assert!(outage(verdict).contains("cannot be asked"), "{name}");
        }
    }
}
