//! `bots`: programs that have tokens of their own.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `client_id` of `countersign login`.
pub const LOGIN_CLIENT: &str = "countersign-cli";

/// `client_id` where nobody knows the client: at `/auth/token`, and in an exchange, whose client
/// could call itself anything. RFC 9068 section 2.2 wants one in every access token.
pub const NO_CLIENT: &str = "countersign";

/// Is this name, whatever its case, one of our own clients'? Bots are OAuth clients by their
/// names: one of these would be taken for what it is not.
pub fn is_our_client(name: &str) -> bool {
    let ours = [LOGIN_CLIENT, NO_CLIENT];
    ours.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Programs that have tokens of their own, and what users may have of that kind.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["allow_unlimited", "personal_tokens", "seed"]))]
pub struct Bots {
    /// May tokens be made that never expire (OpenMetadata's `Unlimited`), wherever they are asked for?
    pub allow_unlimited: bool,
    /// May users make tokens for themselves (personal access tokens)?
    pub personal_tokens: bool,
    /// Bots that are made by the first start, each with its token in a file: name → its settings.
    pub seed: IndexMap<String, SeedBot>,
}

/// A bot that the first start makes. What is there already stays as it is.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["display_name", "description", "roles", "audience", "expiry", "form", "token_file"]))]
pub struct SeedBot {
    /// How people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Whom its token is for: a name of `tokens.audiences`; empty = the default audience.
    pub audience: String,
    /// How long its token lives.
    pub expiry: Expiry,
    /// A signed token, or a short one that `/oauth2/token` exchanges.
    pub form: TokenForm,
    /// The file that its token is written to, for its owner alone (mode 0600).
    #[schemars(extend("format" = "path"))]
    pub token_file: PathBuf,
}

/// How long a bot's token lives: OpenMetadata's `JWTTokenExpiry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub enum Expiry {
    /// An hour.
    OneHour,
    /// A day.
    #[serde(rename = "1")]
    One,
    /// A week.
    #[serde(rename = "7")]
    Seven,
    /// 30 days.
    #[default]
    #[serde(rename = "30")]
    Thirty,
    /// 60 days.
    #[serde(rename = "60")]
    Sixty,
    /// 90 days.
    #[serde(rename = "90")]
    Ninety,
    /// For ever, until it is revoked.
    Unlimited,
}

impl Expiry {
    /// All of them, the shortest first.
    pub const ALL: [Expiry; 7] = [
        Expiry::OneHour,
        Expiry::One,
        Expiry::Seven,
        Expiry::Thirty,
        Expiry::Sixty,
        Expiry::Ninety,
        Expiry::Unlimited,
    ];

    /// As OpenMetadata writes it.
    pub fn name(self) -> &'static str {
        match self {
            Expiry::OneHour => "OneHour",
            Expiry::One => "1",
            Expiry::Seven => "7",
            Expiry::Thirty => "30",
            Expiry::Sixty => "60",
            Expiry::Ninety => "90",
            Expiry::Unlimited => "Unlimited",
        }
    }

    /// Seconds; none = for ever.
    pub fn seconds(self) -> Option<u64> {
        const DAY: u64 = 86_400;
        match self {
            Expiry::OneHour => Some(3_600),
            Expiry::One => Some(DAY),
            Expiry::Seven => Some(7 * DAY),
            Expiry::Thirty => Some(30 * DAY),
            Expiry::Sixty => Some(60 * DAY),
            Expiry::Ninety => Some(90 * DAY),
            Expiry::Unlimited => None,
        }
    }
}

/// What a bot's token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenForm {
    /// A signed token, as every other.
    #[default]
    Jwt,
    /// A short secret with a prefix and a checksum, which secret scanners find: `/oauth2/token`
    /// exchanges it for a signed token.
    Opaque,
}
