//! What is typed stays a value, in filters and in names.

use serde_json::json;

use super::denied;
use crate::bed::{BASE, bed, instance, login};

#[tokio::test]
async fn l03_filter_injection_finds_nobody() {
    let ldap = instance(bed().settings(json!({}))).await;
    for typed in [
        "*",
        "a*",
        "*)(uid=*",
        "alice)(&)",
        "alice)(|(uid=*",
        r"\61lice",
        r"\2a",
        "alice\0",
        "alice\\",
        "(alice)",
        "ali%63e",
        "&",
    ] {
        for password in ["alice-pw", "eve-pw"] {
            assert_eq!(login(&ldap, typed, password).await, Ok(None), "{typed:?}");
        }
    }
}

#[tokio::test]
async fn l03_name_made_of_marks_finds_exactly_its_own_user() {
    let ldap = instance(bed().settings(json!({}))).await;
    let user = login(&ldap, r"e*v(e)\x", "eve-pw").await.unwrap().unwrap();
    assert_eq!(user.username, r"e*v(e)\x");
    let reason = ("wrong password", r"e*v(e)\x");
    denied(&ldap, r"e*v(e)\x", "alice-pw", reason).await;
}

#[tokio::test]
async fn l04_name_injection_binds_nobody_else() {
    let below = json!({ "username_format": format!("uid={{username}},{BASE}") });
    let ldap = instance(bed().direct(below)).await;
    for typed in [
        "alice,ou=people",
        "alice+cn=x,ou=people",
        r"alice\2Cou=people",
        "\"alice,ou=people\"",
        "#616c696365",
        "alice;ou=people",
        "x,uid=alice,ou=people",
    ] {
        let reason = ("wrong password", typed);
        denied(&ldap, typed, "alice-pw", reason).await;
    }
}

#[tokio::test]
async fn l04_name_with_marks_is_bound_as_itself() {
    for (at, name) in ["a,b+c", "#d", "e=f", r"g\h", "i\"j", "k;l<m>"]
        .iter()
        .enumerate()
    {
        let escaped: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        bed().change(&format!(
            "dn: cn={escaped},ou=people,{BASE}\nobjectClass: inetOrgPerson\nsn: marks{at}\nuserPassword: marks-pw\n\n"
        ));
        let settings = json!({
            "username_format": format!("cn={{username}},ou=people,{BASE}"),
            "search": { "base": BASE, "uid_attribute": "cn" },
        });
        let ldap = instance(bed().direct(settings)).await;
        let user = login(&ldap, name, "marks-pw").await.unwrap();
        assert_eq!(user.unwrap().last_name, format!("marks{at}"), "{name}");
    }
}
