//! The SDK's `testing`, on real files: what an author sees of his plugin without a host.

use std::fs;

use countersign_sdk::testing::{self, Level, Operation, Plugin};
use countersign_sdk::{AuthError, Kind, User};
use countersign_tests::artifacts::{self, repository};
use serde_json::{Value, json};

fn answers() -> testing::Instance {
    let plugin = Plugin::load(artifacts::fixture("answers")).unwrap();
    plugin.configure(json!({})).unwrap()
}

#[test]
fn user_comes_back_whole() {
    let user = answers().create_token(testing::login("ada", "x")).unwrap();
    let mut expected = User::new("id-ada", "ada");
    expected.email = "ada@example.org".into();
    expected.roles = vec!["Own".into()];
    expected.groups = ["cn=Admins, dc=x", "team-airflow", "other"]
        .map(String::from)
        .into();
    expected.attributes.insert("team".into(), 7.into());
    expected.attributes.insert("exp".into(), 1.into());
    expected.attributes.insert("iss".into(), "evil".into());
    assert_eq!(user, Some(expected));
}

#[test]
fn every_outcome_is_told_apart() {
    let answers = answers();
    let kind = |name| {
        let answer = answers.create_token(testing::login(name, "x"));
        answer.map_err(|error| error.kind())
    };
    assert_eq!(kind("nobody"), Ok(None));
    assert_eq!(kind("denied"), Err(Kind::Denied));
    assert_eq!(kind("invalid"), Err(Kind::Invalid));
    assert_eq!(kind("unavailable"), Err(Kind::Unavailable));
    assert_eq!(kind("fault"), Err(Kind::Fault));
    assert_eq!(kind("empty"), Err(Kind::Fault), "a user needs an id");
    let denied = answers.create_token(testing::login("denied", "x"));
    let expected = AuthError::denied("private reason").subject("the-subject");
    assert_eq!(denied, Err(expected));
}

#[test]
fn optional_operation_is_answered_or_not_supported() {
    let answers = answers();
    let offers = answers.call(Operation::Capabilities, json!({})).unwrap();
    assert_eq!(
        (&offers["password"], &offers["browser"]),
        (&json!(true), &json!(false))
    );
    let lookup = answers.call(Operation::Lookup, json!({ "username": "ada" }));
    assert_eq!(lookup.unwrap()["id"], "id-ada");
    let login = answers.call(Operation::BeginLogin, json!({}));
    assert_eq!(login.unwrap_err().kind(), Kind::NotSupported);
    assert_eq!(answers.call(Operation::Shutdown, json!({})), Ok(json!({})));
}

#[test]
fn logs_and_panics_of_any_thread_are_kept() {
    let plugin = Plugin::load(artifacts::fixture("speaks")).unwrap();
    let speaks = plugin.configure(json!({})).unwrap();
    let user = speaks.create_token(testing::login("ada", "x")).unwrap();
    assert_eq!(user, Some(User::new("ada", "ada")));
    let lines = speaks.logs();
    let [line] = lines.as_slice() else {
        panic!("one line of its own, none of a dependency's: {lines:?}")
    };
    assert_eq!(
        (line.level, line.message.as_str()),
        (Level::Info, "from a thread")
    );
    assert_eq!(line.fields, json!({ "door": 7, "room": "cellar" }));
    let panics = speaks.panics();
    assert!(panics[0].ends_with(": alone in the dark"), "{panics:?}");
}

#[test]
fn panic_in_a_call_is_a_fault_of_that_call() {
    let plugin = Plugin::load(artifacts::fixture("panics_in_create_token")).unwrap();
    let panics = plugin.configure(json!({})).unwrap();
    let fault = panics
        .create_token(testing::login("boom", "x"))
        .unwrap_err();
    assert_eq!(fault.kind(), Kind::Fault);
    assert!(fault.detail().contains("panicked"), "{fault}");
}

#[test]
fn file_that_is_no_plugin_is_refused_with_the_host_s_words() {
    let refused = |file| Plugin::load(file).unwrap_err().to_string();
    let missing = refused(artifacts::fixture("nowhere"));
    assert!(missing.contains("No such file"), "{missing}");
    let bare = refused(artifacts::fixture("no_symbol"));
    assert!(
        bare.contains("help: build it with the SDK's `export_plugin!`"),
        "{bare}"
    );
    let text = refused(repository().join("README.md"));
    assert!(text.contains("README.md") && text.contains("ELF"), "{text}");
}

#[test]
fn info_and_schema_are_the_file_s_own() {
    let template = Plugin::load(artifacts::plugin("template")).unwrap();
    assert_eq!(
        (template.info().name.as_str(), template.info().abi.as_str()),
        ("template", countersign_abi::ABI_VERSION)
    );
    let password: &Value = &template.schema()["properties"]["password"];
    assert_eq!(password["writeOnly"], true);
    assert_eq!(
        password["description"],
        "The password that everybody shares."
    );
}

#[test]
fn guide_shows_the_template_s_test_word_for_word() {
    let read = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let test = read("plugins/template/tests/door.rs");
    assert!(read("sdk/src/guide/testing.md").contains(&format!("```no_run\n{test}```")));
}
