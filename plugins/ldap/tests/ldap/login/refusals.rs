//! Who is refused, and why.

use countersign_sdk::testing;
use countersign_sdk::{AuthPlugin, Kind};
use serde_json::json;

use super::denied;
use crate::bed::{BASE, Bed, bed, instance, logged, login};

#[tokio::test]
async fn wrong_password_is_denied_by_the_directorys_name() {
    let ldap = instance(bed().settings(json!({}))).await;
    denied(&ldap, "BOB", "wrong", ("wrong password", "bob")).await;
    denied(&ldap, "nopw", "wrong", ("wrong password", "nopw")).await;
}

#[tokio::test]
async fn l01_empty_password_never_reaches_the_server() {
    let own = Bed::start(&[]);
    for settings in [own.settings(json!({})), own.direct(json!({}))] {
        let ldap = instance(settings).await;
        for password in ["\0", "\0\0", "alice-pw\0", "alice-pw\0x"] {
            let reason = ("the password contains NUL", "alice");
            denied(&ldap, "alice", password, reason).await;
        }
        for body in [
            r#"{"username":"alice","password":""}"#,
            r#"{"username":"alice"}"#,
            r#"{"username":"","password":"alice-pw"}"#,
            r#"{"username":"alice","password":null}"#,
        ] {
            let answer = ldap.create_token(testing::request(&[], body)).await;
            assert_eq!(answer, Ok(None), "{body}");
        }
        for nobody in [" ", "\t", "a\0", "\u{7f}", &"a".repeat(257)] {
            assert_eq!(
                login(&ldap, nobody, "alice-pw").await,
                Ok(None),
                "{nobody:?}"
            );
        }
    }
    // The test bed itself came by the socket; nobody else came at all.
    let log = own.log();
    assert!(log.contains("ACCEPT from PATH"), "{log}");
    assert!(!log.contains("ACCEPT from IP"), "{log}");
    own.stop();
}

#[tokio::test]
async fn l05_nobody_is_nobody() {
    let ldap = instance(bed().settings(json!({}))).await;
    assert_eq!(login(&ldap, "nobody", "x").await, Ok(None));
    // An entry that the service account may not see.
    assert_eq!(login(&ldap, "dave", "dave-pw").await, Ok(None));
    // A reference to another directory is no entry.
    assert_eq!(login(&ldap, "elsewhere", "x").await, Ok(None));
}

#[tokio::test]
async fn l05_name_of_two_entries_is_refused_and_told_loudly() {
    let ldap = instance(bed().settings(json!({}))).await;
    for password in ["dup1-pw", "dup2-pw", "wrong"] {
        let (answer, log) = logged(login(&ldap, "dup", password)).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), Kind::Denied);
        assert_eq!(error.detail(), "several entries have this name");
        assert!(log.contains("ERROR"), "{log}");
        for branch in ["people", "contractors"] {
            assert!(
                log.contains(&format!("uid=dup,ou={branch},{BASE}")),
                "{log}"
            );
        }
        assert!(!log.contains(password), "{log}");
    }
    // Narrowed as the log says, he comes in.
    let people = json!({ "search": { "base": format!("ou=people,{BASE}") } });
    let ldap = instance(bed().settings(people)).await;
    assert!(login(&ldap, "dup", "dup1-pw").await.unwrap().is_some());
}

#[tokio::test]
async fn l05_name_of_many_entries_is_refused_too() {
    // More than are told by name.
    for at in 0..12 {
        bed().add_person(&format!("many{at}"), "employeeType: many");
    }
    let settings = json!({ "search": { "uid_attribute": "employeeType" } });
    let ldap = instance(bed().settings(settings)).await;
    let (answer, log) = logged(login(&ldap, "many", "many0-pw")).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied, "{error}");
    assert_eq!(error.detail(), "several entries have this name");
    assert!(
        log.contains("ERROR") && log.contains("employeeType=many"),
        "{log}"
    );
}

#[tokio::test]
async fn unknown_name_costs_a_bind_and_never_shows_its_password() {
    let own = Bed::start(&[("LOG", "stats,trace,packets")]);
    let ldap = instance(own.settings(json!({}))).await;
    assert_eq!(
        login(&ldap, "nobody", "pw-of-another-backend").await,
        Ok(None)
    );
    let log = own.log();
    let bind = format!("BIND dn=\"cn=countersign-nobody,{BASE}\" method=128");
    assert_eq!(log.matches(&bind).count(), 1, "{log}");
    own.stop();
}
