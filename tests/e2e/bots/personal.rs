//! The API in OpenMetadata's shapes: users' own tokens.

use countersign_tests::{Folder, Server, token};
use serde_json::json;

use super::{CONFIG, add_user, admin, basic, call};

#[test]
fn personal_tokens_are_made_listed_and_revoked_by_their_owner_and_by_who_manages() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    add_user(&folder, "eve", "Op");
    let (ada, eve, who) = (
        basic("ada", "s3cret"),
        basic("eve", "s3cret"),
        admin(&server),
    );
    let path = "/api/v1/users/security/token";
    let make = |name: &str| {
        let body = json!({ "tokenName": name, "JWTTokenExpiry": "30" }).to_string();
        let made = call(&server, "PUT", path, &ada, &body);
        assert_eq!(made.status, 200, "{made:?}");
        made.json()
    };
    let (one, _two, _three) = (make("one"), make("two"), make("three"));
    let claims = token::claims(one["jwtToken"].as_str().unwrap());
    assert_eq!(claims["sub"], "ada");
    let total = |who: &str, more: &str| {
        let list = call(&server, "GET", &format!("{path}{more}"), who, "").json();
        assert!(!list.to_string().contains("eyJ"), "{list}");
        list["paging"]["total"].as_u64()
    };
    assert_eq!((total(&ada, ""), total(&eve, "")), (Some(3), Some(0)));
    assert_eq!(total(&who, "?username=ada"), Some(3));
    assert_eq!(
        call(&server, "GET", &format!("{path}?username=ada"), &eve, "").status,
        403
    );
    let revoke = |who: &str, more: &str| {
        let body = json!({ "tokenIds": [one["token"]] }).to_string();
        call(&server, "PUT", &format!("{path}/revoke{more}"), who, &body)
    };
    assert_eq!(revoke(&eve, "").json()["paging"]["total"], 0);
    assert_eq!(total(&ada, ""), Some(3));
    assert_eq!(revoke(&ada, "").json()["paging"]["total"], 2);
    let bearer = format!("Bearer {}", one["jwtToken"].as_str().unwrap());
    assert_eq!(
        call(&server, "GET", "/api/v1/users/loggedInUser", &bearer, "").status,
        401
    );
    assert_eq!(
        revoke(&who, "?removeAll=true&username=ada").json()["paging"]["total"],
        0
    );
    let unlimited = r#"{"tokenName":"x","JWTTokenExpiry":"Unlimited"}"#;
    assert_eq!(call(&server, "PUT", path, &ada, unlimited).status, 403);
}
