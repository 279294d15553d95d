//! Plugins of other ABI versions: what fits loads, what does not is told in a few lines.

use countersign_tests::{Folder, patched};

use super::{changed, check, refused, replace};

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

#[test]
fn p01_newer_minor_loads() {
    let changes = [
        (
            "sdk/abi/Cargo.toml",
            "version = \"1.0.0\"",
            "version = \"1.1.0\"",
        ),
        (
            "sdk/abi/src/object.rs",
            "        not_supported(\"shutdown\")\n    }\n",
            "        not_supported(\"shutdown\")\n    }\n\n    fn newer(&self, _arguments: RString) -> FfiFuture<FfiJson> {\n        not_supported(\"newer\")\n    }\n",
        ),
        (
            "sdk/abi/src/root.rs",
            "FfiFuture<FfiCreated>,\n}",
            "FfiFuture<FfiCreated>,\n    pub(crate) newer: extern \"C\" fn() -> u32,\n}",
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
            "sdk/abi/src/services.rs",
            "    log: extern \"C\" fn(usize, u8, RStr<'_>, RStr<'_>, RStr<'_>),\n}",
            "    log: extern \"C\" fn(usize, u8, RStr<'_>, RStr<'_>, RStr<'_>),\n    newer: extern \"C\" fn(usize) -> u32,\n}",
        ),
        (
            "sdk/abi/src/services.rs",
            "        log,\n    }",
            "        log,\n        newer,\n    }",
        ),
        (
            "sdk/abi/src/services.rs",
            "extern \"C\" fn enabled(",
            "extern \"C\" fn newer(_: usize) -> u32 {\n    2\n}\n\nextern \"C\" fn enabled(",
        ),
    ];
    let folder = Folder::new();
    folder.plugin(&patched::plugin("newer_minor", &changes), "sin");
    let done = check(&folder, "");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("newer_minor 0.1.0 (ABI 1.1.0"),
        "{}",
        done.stdout
    );
}

#[test]
fn p01_changed_layout_is_refused_in_a_few_lines() {
    let folder = Folder::new();
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
    folder.plugin(&patched::plugin("changed_layout", &[change, fill]), "sin");
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
