//! No password in any answer, error or log.

use countersign_sdk::AuthPlugin;
use serde_json::json;

use crate::bed::{Bed, instance, logged, login, open};

#[tokio::test]
async fn c07_canaries_appear_nowhere() {
    // So many failures lock accounts: nobody else may need them.
    let own = Bed::start(&[]);
    own.add_person("canary-user", "");
    let (service, typed) = ("canary-pass-1f9c", "canary-typed-77aa");
    let work = async {
        let mut said = Vec::new();
        let faults = json!({ "username_format": "cn={username},dc=fault,dc=test" });
        let wrong_account = own.settings(json!({ "bind_password": service }));
        let wrong_setting =
            own.settings(json!({ "bind_password": service, "search": { "filter": "a=b" } }));
        let error = open(wrong_setting).await.err().unwrap();
        said.push(format!("{error:?}"));
        for settings in [
            own.settings(json!({})),
            own.direct(json!({})),
            own.direct(faults),
            wrong_account,
        ] {
            let ldap = instance(settings).await;
            for name in [
                "canary-user",
                "alice",
                "dup",
                "nobody",
                "locked",
                "busy",
                "*",
            ] {
                for password in [typed, "canary-user-pw", "canary-typed-77aa\0"] {
                    said.push(format!("{:?}", login(&ldap, name, password).await));
                }
            }
            said.push(format!("{:?}", ldap.health().await));
        }
        said
    };
    let (mut said, log) = logged(work).await;
    said.push(log);
    own.stop();
    for text in said {
        for canary in [service, typed, "canary-user-pw", "svc-pw"] {
            assert!(!text.contains(canary), "{text}");
        }
    }
}
