//! Plugins of other ABI versions: what fits loads, what does not is told in a few lines.

use std::process::Command;

use countersign_sdk::Kind;
use countersign_sdk::testing::{Operation, Plugin};
use countersign_tests::{Folder, Server, artifacts, patched};
use serde_json::json;

use super::{changed, refused, replace};

#[test]
fn p01_other_abi_major_in_the_section_is_refused() {
    let folder = Folder::new();
    changed(&folder, |bytes| {
        replace(bytes, br#""abi":"1.0.0""#, br#""abi":"2.0.0""#)
    });
    refused(
        &folder,
        "",
        &["built for ABI 2.0.0, but this host has ABI 1.0.0"],
    );
}

#[test]
fn p01_other_abi_major_is_refused() {
    let folder = Folder::new();
    let file = patched::plugin(
        "other_major",
        &[(
            "sdk/abi/Cargo.toml",
            "version = \"1.0.0\"",
            "version = \"2.0.0\"",
        )],
    );
    folder.plugin(&file, "sin");
    refused(
        &folder,
        "",
        &["built for ABI 2.0.0, but this host has ABI 1.0.0"],
    );
}

/// The boundary as its next minor may be: one more function in the root module, one more
/// in the host's table, one more method, each at its end.
const NEXT_MINOR: [patched::Change<'_>; 12] = [
    (
        "sdk/abi/Cargo.toml",
        "version = \"1.0.0\"",
        "version = \"1.1.0\"",
    ),
    (
        "sdk/abi/src/object.rs",
        "        not_supported(\"shutdown\")\n    }\n",
        "        not_supported(\"shutdown\")\n    }\n\n    fn newer(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {\n        not_supported(\"newer\")\n    }\n",
    ),
    (
        "sdk/abi/src/instance.rs",
        "impl Instance {\n",
        "impl Instance {\n    /// New.\n    pub fn newer(&self) -> impl Future<Output = Result<Value, Failure>> + Send + 'static {\n        let answer = self.0.newer(RString::new(), Lease::none());\n        async move { guarded(answer).await?.into_result().map_err(Failure::from).and_then(received::json) }\n    }\n\n",
    ),
    (
        "sdk/abi/src/root.rs",
        "FfiFuture<FfiCreated>,\n}",
        "FfiFuture<FfiCreated>,\n    pub(crate) newer: extern \"C\" fn() -> u32,\n}",
    ),
    (
        "sdk/abi/src/loader.rs",
        "impl Library {\n",
        "impl Library {\n    /// New.\n    pub fn newer(&self) -> Option<u32> {\n        self.root.newer().map(|newer| newer())\n    }\n\n",
    ),
    (
        "sdk/abi/src/export.rs",
        "            create: create::<E>,\n",
        "            create: create::<E>,\n            newer,\n",
    ),
    (
        "sdk/abi/src/export.rs",
        "extern \"C\" fn schema",
        "extern \"C\" fn newer() -> u32 {\n    1\n}\n\nextern \"C\" fn schema",
    ),
    (
        "sdk/abi/src/export.rs",
        "    let envelope = envelope.as_str().to_owned();\n",
        "    let envelope = envelope.as_str().to_owned();\n    let services = std::mem::ManuallyDrop::new(HostServices::new(host));\n    services.log(crate::services::Level::Warn, \"newer\", &format!(\"the host's new function: {:?}\", services.newer()), \"\");\n",
    ),
    (
        "sdk/abi/src/services.rs",
        "    released: extern \"C\" fn(usize),\n}",
        "    released: extern \"C\" fn(usize),\n    newer: extern \"C\" fn(usize) -> u32,\n}",
    ),
    (
        "sdk/abi/src/services.rs",
        "        released,\n    }",
        "        released,\n        newer,\n    }",
    ),
    (
        "sdk/abi/src/services.rs",
        "extern \"C\" fn enabled(",
        "extern \"C\" fn newer(_: usize) -> u32 {\n    2\n}\n\nextern \"C\" fn enabled(",
    ),
    (
        "sdk/abi/src/services.rs",
        "impl Services for HostServices {",
        "impl HostServices {\n    pub(crate) fn newer(&self) -> Option<u32> {\n        self.0.newer().map(|newer| newer(self.0.context()))\n    }\n}\n\nimpl Services for HostServices {",
    ),
];

#[test]
fn p01_plugin_of_the_next_minor_loads_and_answers_and_does_without_what_this_host_lacks() {
    let folder = Folder::new();
    folder.plugin(&patched::plugin("newer_minor", &NEXT_MINOR), "sin");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  sin: { plugin: sin, config: { password: door } }\n";
    let server = Server::start(&folder, config);
    assert_eq!(server.login("ada", "door").status, 201);
    assert_eq!(server.login("ada", "wrong").status, 401);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    for text in [r#""abi":"1.1.0""#, "the host's new function: None"] {
        assert!(log.contains(text), "{text:?} is missing in:\n{log}");
    }
}

#[test]
fn p01_plugin_of_this_minor_loads_in_a_host_of_the_next_and_lacks_what_is_new_there() {
    let host = patched::program("next_minor", &NEXT_MINOR);
    let output = Command::new(host)
        .arg(artifacts::plugin("template"))
        .output()
        .unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        seen,
        "host 1.1.0, plugin 1.0.0\nnew function of the library: None\nuser: Some(\"ada\")\nnew method: Err(NotSupported)\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The promise: what was built with 1.0 loads in every host 1.y.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn p01_plugin_that_was_built_with_abi_1_0_loads_and_answers_in_this_host() {
    let file = artifacts::repository().join("tests/fixtures/abi-1.0/libcountersign_template.so");
    let folder = Folder::new();
    folder.plugin(&file, "template");
    let server = Server::start(&folder, crate::TEMPLATE);
    let token = server.token("ada", "door");
    assert_eq!(countersign_tests::token::claims(&token)["sub"], "ada");
    assert_eq!(server.login("ada", "wrong").status, 401);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains(r#""abi":"1.0.0""#), "{log}");
    assert!(!log.contains("did not shut down cleanly"), "{log}");

    let template = Plugin::load(&file).unwrap();
    let template = template.configure(json!({ "password": "door" })).unwrap();
    let offers = template.call(Operation::Capabilities, json!({})).unwrap();
    assert_eq!(offers["password"], true);
    assert_eq!(template.call(Operation::Health, json!({})), Ok(json!({})));
    for (operation, arguments) in [
        (Operation::BeginLogin, json!({})),
        (Operation::FinishLogin, json!({})),
        (
            Operation::Provision,
            json!({ "backend": "b", "subject": "7", "user": { "id": "7" } }),
        ),
        (Operation::Manage, json!({ "op": "user_list" })),
        (Operation::Lookup, json!({ "username": "ada" })),
    ] {
        let answer = template.call(operation, arguments);
        let kind = answer.map_err(|error| error.kind());
        assert_eq!(kind, Err(Kind::NotSupported), "{operation:?}");
    }
}

#[test]
fn p01_changed_layout_is_refused_in_a_few_lines() {
    let folder = Folder::new();
    let version = (
        "sdk/abi/Cargo.toml",
        "version = \"1.0.0\"",
        "version = \"1.0.2\"",
    );
    let change = (
        "sdk/abi/src/types.rs",
        "    pub(crate) attributes_json: RString,\n    ext_json: RString,\n}",
        "    pub(crate) attributes_json: RString,\n    ext_json: RString,\n    more: u64,\n}",
    );
    let fill = (
        "sdk/abi/src/types.rs",
        "            attributes_json: user.attributes_json.into(),\n            ext_json: RString::new(),",
        "            attributes_json: user.attributes_json.into(),\n            ext_json: RString::new(),\n            more: 0,",
    );
    folder.plugin(
        &patched::plugin("changed_layout", &[version, change, fill]),
        "sin",
    );
    refused(
        &folder,
        "",
        &[
            "does not fit this host's ABI 1.0.0",
            "FfiUser",
            "build the plugin again",
        ],
    );
}
