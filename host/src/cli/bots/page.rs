//! Bots and their tokens, as a terminal shows them.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::output;

/// A token that is over within this many seconds is listed as "soon".
const SOON: u64 = 7 * 86_400;

pub(super) fn list(bots: &Value, now: u64) -> String {
    let bots = bots.as_array().into_iter().flatten();
    let rows = bots.map(|bot| {
        let live = live(bot);
        let ends = |token: &&Value| token["expires_at"].as_u64();
        let last = match live.iter().any(|token| token["expires_at"].is_null()) {
            _ if live.is_empty() => "-".to_owned(),
            true => "never".to_owned(),
            false => {
                let last = live.iter().filter_map(ends).max().unwrap_or_default();
                let soon = last <= now.saturating_add(SOON);
                format!("{}{}", day(last), if soon { " soon" } else { "" })
            }
        };
        [
            text(&bot["name"]),
            words(&bot["roles"]),
            live.len().to_string(),
            last,
            bot["last_used_at"].as_u64().map_or("-".into(), moment),
            text(&bot["description"]),
        ]
    });
    let header = [
        "NAME",
        "ROLES",
        "TOKENS",
        "EXPIRES",
        "LAST USED",
        "DESCRIPTION",
    ];
    output::table(header, rows)
}

pub(super) fn describe(bot: &Value) -> String {
    let mut told = String::new();
    for (name, value) in [
        ("name", text(&bot["name"])),
        ("id", text(&bot["id"])),
        ("display name", text(&bot["display_name"])),
        ("description", text(&bot["description"])),
        ("e-mail", text(&bot["email"])),
        ("roles", words(&bot["roles"])),
        (
            "own keys",
            if bot["has_keys"] == true { "yes" } else { "no" }.into(),
        ),
        ("created", by(bot, "created")),
        ("changed", by(bot, "updated")),
    ] {
        told += &format!("{name:<14}{value}\n");
    }
    let tokens = bot["tokens"].as_array().into_iter().flatten();
    let rows: Vec<[String; 8]> = tokens
        .map(|token| {
            let end = token["ends_at"].as_u64().or(token["expires_at"].as_u64());
            [
                text(&token["id"]),
                text(&token["form"]),
                text(&token["state"]),
                end.map_or("never".into(), moment),
                token["last_used_at"].as_u64().map_or("-".into(), moment),
                token["audience"].as_str().unwrap_or("(default)").into(),
                by(token, "created"),
                text(&token["name"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        return told + "tokens        -\n";
    }
    let header = [
        "TOKEN",
        "FORM",
        "STATE",
        "ENDS",
        "LAST USED",
        "AUDIENCE",
        "CREATED",
        "LABEL",
    ];
    told + "\n" + &output::table(header, rows)
}

fn live(bot: &Value) -> Vec<&Value> {
    let tokens = bot["tokens"].as_array().into_iter().flatten();
    let is_live = |token: &&Value| token["state"] == "live" || token["state"] == "ending";
    tokens.filter(is_live).collect()
}

fn by(value: &Value, what: &str) -> String {
    let at = value[format!("{what}_at")].as_u64().unwrap_or_default();
    format!("{} by {}", moment(at), text(&value[format!("{what}_by")]))
}

fn words(list: &Value) -> String {
    let words: Vec<&str> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match words.as_slice() {
        [] => "-".into(),
        words => words.join(","),
    }
}

pub(super) fn text(value: &Value) -> String {
    match value.as_str() {
        None | Some("") => "-".into(),
        Some(text) => crate::audit::clean(text, 200),
    }
}

/// RFC 3339 in UTC.
fn moment(at: u64) -> String {
    let at = i64::try_from(at).ok();
    let at = at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

fn day(at: u64) -> String {
    moment(at).split('T').next().unwrap_or_default().to_owned()
}
