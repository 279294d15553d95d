//! Which groups a user is found in, by each rule, on each kind of server; complete and bounded
//! (security case L13).

mod active_directory;
mod bounds;
mod figures;
mod openldap;
mod samba;

use countersign_sdk::prelude::*;
use serde_json::{Value, json};

use crate::bed;
use crate::scripted::{DOMAIN, Directory, Scripted};

/// The groups of a user, who logs in with the password `NAME-pw`.
async fn groups_of(settings: Value, name: &str) -> Result<Vec<String>> {
    let ldap = bed::open(settings).await?;
    let user = bed::login(&ldap, name, &format!("{name}-pw")).await?;
    Ok(user.expect("an entry").groups)
}

/// Settings for a scripted server.
fn settings(server: &Scripted, more: Value) -> Value {
    let mut settings = json!({
        "url": server.url(),
        "bind_dn": format!("CN=svc,CN=Users,{DOMAIN}"),
        "bind_password": "svc-pw",
        "search": { "base": DOMAIN },
    });
    bed::put_over(&mut settings, more);
    settings
}

/// A server with the service account and these.
fn server(mut directory: Directory, more: impl FnOnce(&mut Directory)) -> Scripted {
    directory.user("svc");
    more(&mut directory);
    Scripted::start(directory)
}

fn dn(name: &str) -> String {
    format!("CN={name},OU=Groups,{DOMAIN}")
}
