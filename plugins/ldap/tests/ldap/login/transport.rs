//! The same logins under TLS.

use serde_json::json;

use super::denied;
use crate::bed::{bed, instance, login};

#[tokio::test]
async fn every_kind_of_stored_hash_lets_in_over_ldaps_and_start_tls() {
    let bed = bed();
    let ldaps = json!({ "url": bed.ldaps(), "tls": { "ca": bed.ca() } });
    let start_tls = json!({ "start_tls": true, "tls": { "ca": bed.ca() } });
    for transport in [ldaps, start_tls] {
        for settings in [bed.settings(transport.clone()), bed.direct(transport)] {
            let ldap = instance(settings).await;
            for name in ["alice", "bob"] {
                let user = login(&ldap, name, &format!("{name}-pw")).await.unwrap();
                assert_eq!(user.unwrap().username, name);
            }
            denied(&ldap, "bob", "alice-pw", ("wrong password", "bob")).await;
        }
    }
}
