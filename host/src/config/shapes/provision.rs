//! `backends.<id>.provision`: whose rows the users of a backend become.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Where the users of a backend are found or registered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-order" = ["backend", "link", "adopt_password_rows"]))]
pub struct Provision {
    /// The id of the backend that keeps the rows.
    pub backend: String,
    /// `username` = a row of the same name that is linked to nobody may be taken.
    #[serde(default)]
    pub link: Option<LinkBy>,
    /// true = even one whose password is known to somebody.
    #[serde(default)]
    pub adopt_password_rows: bool,
}

/// By what a row that exists already is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkBy {
    /// By the username, without regard to case. Never by e-mail.
    Username,
}

/// The two ways to write it.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Written {
    /// The id of the backend alone.
    Backend(String),
    /// All of it.
    Whole(Provision),
}

pub(super) fn read<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Provision>, D::Error> {
    let written = Option::<Written>::deserialize(source)?;
    Ok(written.map(|written| match written {
        Written::Whole(provision) => provision,
        Written::Backend(backend) => Provision {
            backend,
            link: None,
            adopt_password_rows: false,
        },
    }))
}
