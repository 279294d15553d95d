//! The `.countersign` section: what a plugin file says of itself, readable
//! without running any of its code, from any architecture.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The ABI version that this side was built with: `major.minor.patch`.
pub const ABI_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Name of the ELF section.
pub(crate) const SECTION: &str = ".countersign";

/// The C library is part of the target: glibc's plugins do not load into musl's host.
const C_LIBRARY: &str = if cfg!(target_env = "gnu") {
    "-gnu"
} else if cfg!(target_env = "musl") {
    "-musl"
} else {
    ""
};

/// The longest value in the section, in bytes.
const LONGEST: usize = 128;

/// What a plugin file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The plugin's name: its crate's, without a leading `countersign-`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The ABI version that it was built with.
    pub abi: String,
    /// The SDK version that it was built with.
    pub sdk: String,
    /// Architecture, system and C library that it was built for, such as `x86_64-linux-gnu`.
    pub target: String,
    /// `unwind` or `abort`; only the first can be contained.
    pub panic: String,
}

impl Info {
    /// Reads the section's bytes: JSON, padded with spaces. The values reach terminals
    /// and logs: they are short, and of the letters that names and versions have.
    pub(crate) fn parse(section: &[u8]) -> Option<Self> {
        let info: Info = serde_json::from_slice(section).ok()?;
        let values = [
            &info.name,
            &info.version,
            &info.abi,
            &info.sdk,
            &info.target,
            &info.panic,
        ];
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
        let good = |value: &&String| value.len() <= LONGEST && value.bytes().all(plain);
        values.iter().all(good).then_some(info)
    }

    /// Was it built for the target that this side was built for?
    pub(crate) fn is_for_this_target(&self) -> bool {
        self.target == target()
    }

    /// The ABI's major and minor number.
    pub(crate) fn abi_numbers(&self) -> Option<(u64, u64)> {
        numbers(&self.abi)
    }
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} (ABI {}, SDK {}, {}, panic {})",
            self.name, self.version, self.abi, self.sdk, self.target, self.panic
        )
    }
}

/// The target that this side was built for.
pub(crate) fn target() -> String {
    let (architecture, system) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{architecture}-{system}{C_LIBRARY}")
}

/// Major and minor of a version text.
pub(crate) fn numbers(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split(['.', '-']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// The section's size; what is not JSON is padding.
const SIZE: usize = 512;

/// The section's content, made at compile time by [`export!`](crate::export).
/// None of the values may need JSON escaping: crate names and versions do not.
pub const fn section(name: &str, version: &str, sdk: &str, panic: &str) -> [u8; SIZE] {
    let mut bytes = [b' '; SIZE];
    let mut at = 0;
    at = put(&mut bytes, at, "{\"name\":\"");
    at = put(&mut bytes, at, without_prefix(name));
    at = put(&mut bytes, at, "\",\"version\":\"");
    at = put(&mut bytes, at, version);
    at = put(&mut bytes, at, "\",\"abi\":\"");
    at = put(&mut bytes, at, ABI_VERSION);
    at = put(&mut bytes, at, "\",\"sdk\":\"");
    at = put(&mut bytes, at, sdk);
    at = put(&mut bytes, at, "\",\"target\":\"");
    at = put(&mut bytes, at, std::env::consts::ARCH);
    at = put(&mut bytes, at, "-");
    at = put(&mut bytes, at, std::env::consts::OS);
    at = put(&mut bytes, at, C_LIBRARY);
    at = put(&mut bytes, at, "\",\"panic\":\"");
    at = put(&mut bytes, at, panic);
    put(&mut bytes, at, "\"}");
    bytes
}

const fn put(bytes: &mut [u8; SIZE], mut at: usize, text: &str) -> usize {
    let text = text.as_bytes();
    assert!(
        at + text.len() <= SIZE,
        "crate name and version are too long for the .countersign section"
    );
    let mut i = 0;
    while i < text.len() {
        bytes[at] = text[i];
        at += 1;
        i += 1;
    }
    at
}

const fn without_prefix(name: &str) -> &str {
    let prefix = b"countersign-";
    let bytes = name.as_bytes();
    if bytes.len() <= prefix.len() {
        return name;
    }
    let mut i = 0;
    while i < prefix.len() {
        if bytes[i] != prefix[i] {
            return name;
        }
        i += 1;
    }
    name.split_at(prefix.len()).1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn section_of_a_crate_reads_back() {
        let info = Info::parse(&section("countersign-ldap", "1.2.3", "0.1.0", "unwind")).unwrap();
        assert_eq!(
            (info.name.as_str(), info.version.as_str()),
            ("ldap", "1.2.3")
        );
        assert_eq!(
            (info.abi.as_str(), info.panic.as_str()),
            (ABI_VERSION, "unwind")
        );
        assert!(info.is_for_this_target());
    }

    #[test]
    fn section_name_without_our_prefix_is_kept() {
        assert_eq!(
            Info::parse(&section("acme-sso", "1.0.0", "0.1.0", "unwind"))
                .unwrap()
                .name,
            "acme-sso"
        );
    }

    #[test]
    fn section_of_junk_is_none() {
        for junk in [&b""[..], b"    ", b"{}", b"{\"name\":1}", &[0xff; 512]] {
            assert!(Info::parse(junk).is_none());
        }
    }

    #[test]
    fn section_with_a_value_that_is_no_name_is_none() {
        let long = "x".repeat(LONGEST + 1);
        for name in ["\\u001b[2J", "a b", "\u{e9}", "a\\nb", "<b>", &long] {
            assert!(Info::parse(&section(name, "1.0.0", "0.1.0", "unwind")).is_none());
        }
    }
}
