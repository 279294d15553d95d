//! The plugin's real file, loaded and called as the host does.
#![allow(clippy::unwrap_used)]
use countersign_sdk::serde_json::json;
use countersign_sdk::testing::{self, Plugin};
use countersign_sdk::{AuthError, User};

#[test]
fn shared_password_lets_everybody_in() {
    let door = Plugin::built()
        .unwrap()
        .configure(json!({ "password": "open" }))
        .unwrap();
    let user = door.create_token(testing::login("ada", "open")).unwrap();
    assert_eq!(user, Some(User::new("ada", "ada")));
}

#[test]
fn wrong_password_is_denied_and_stands_in_no_log() {
    let door = Plugin::built()
        .unwrap()
        .configure(json!({ "password": "open" }))
        .unwrap();
    let refused = door
        .create_token(testing::login("ada", "sesame"))
        .unwrap_err();
    assert_eq!(refused, AuthError::denied("wrong password").subject("ada"));
    for line in door.logs() {
        assert!(!line.to_string().contains("sesame"), "{line}");
    }
}

#[test]
fn request_without_a_password_is_not_for_this_plugin() {
    let door = Plugin::built()
        .unwrap()
        .configure(json!({ "password": "open" }))
        .unwrap();
    assert_eq!(door.create_token(testing::request(&[], "")).unwrap(), None);
}

#[test]
fn misspelt_setting_is_refused() {
    let error = Plugin::built()
        .unwrap()
        .configure(json!({ "pasword": "open" }))
        .unwrap_err();
    assert!(error.detail().contains("expected `password`"), "{error}");
}
