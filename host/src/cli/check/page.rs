//! A probe for people: aligned, a line for each thing.

use std::fmt::Write as _;

use super::told::{Answer, Fetched, Found, Known, Told};

/// The page. Whatever backends say stands on one line.
pub(super) fn written(told: &Told) -> String {
    let mut page = String::new();
    let width = told
        .backends
        .iter()
        .map(|health| health.backend.len())
        .max()
        .unwrap_or_default();
    for health in &told.backends {
        let state = match health.reachable {
            true => format!("reachable, {} ms", health.millis),
            false => format!(
                "NOT REACHABLE, {} ms: {}",
                health.millis,
                line(&health.error)
            ),
        };
        let _ = writeln!(page, "probe {:<width$}  {state}", health.backend);
    }
    for fetched in &told.trust {
        keys(&mut page, fetched);
    }
    if let Some(asked) = &told.user {
        let _ = writeln!(page, "\nuser {}", line(&asked.name));
        for answer in &asked.backends {
            one(&mut page, answer);
        }
        page.push('\n');
    }
    page
}

fn keys(page: &mut String, fetched: &Fetched) {
    let state = match fetched.error.as_str() {
        "" => {
            let plural = if fetched.keys == 1 { "" } else { "s" };
            format!("{} usable key{plural}", fetched.keys)
        }
        _ => "NO KEYS".to_owned(),
    };
    let error = match fetched.error.as_str() {
        "" => String::new(),
        error => format!(": {}", line(error)),
    };
    let (issuer, url, millis) = (line(&fetched.issuer), line(&fetched.url), fetched.millis);
    let _ = writeln!(
        page,
        "probe trust {issuer}  {state} from {url}, {millis} ms{error}"
    );
    for refused in &fetched.refused {
        let _ = writeln!(page, "  not used: {}", line(refused));
    }
    if !fetched.help.is_empty() {
        let _ = writeln!(page, "  help: {}", fetched.help);
    }
}

fn one(page: &mut String, answer: &Answer) {
    let found = match &answer.found {
        Found::Known => format!("knows him, {} ms", answer.millis),
        Found::Unknown => format!("does not know him, {} ms", answer.millis),
        Found::Refused(why) => format!("would refuse him: {}", line(why)),
        Found::NotOffered => "offers no look-up: only a log-in tells".to_owned(),
        Found::NotAsked => "would not be asked".to_owned(),
        Found::Failed(why) => format!("FAILED, {} ms: {}", answer.millis, line(why)),
    };
    let conditions = match answer.conditions.is_empty() {
        true => String::new(),
        false => format!(" ({})", answer.conditions.join("; ")),
    };
    let _ = writeln!(page, "  {}: {found}{conditions}", answer.backend);
    if let Some(user) = &answer.user {
        known(page, user);
    }
}

fn known(page: &mut String, user: &Known) {
    let rows = [
        ("id", &user.id),
        ("username", &user.username),
        ("e-mail", &user.email),
        ("name", &user.name),
    ];
    for (title, value) in rows {
        if !value.is_empty() {
            let _ = writeln!(page, "    {title:<9} {}", line(value));
        }
    }
    let shown: Vec<String> = user.groups.iter().map(|group| line(&group.group)).collect();
    // One very long name must not push all the others' roles out of sight.
    let width = shown.iter().map(|group| group.chars().count()).max();
    let width = width.unwrap_or_default().min(60);
    for (at, (group, shown)) in user.groups.iter().zip(&shown).enumerate() {
        let title = if at == 0 { "groups" } else { "" };
        let gives = match group.roles.is_empty() {
            true => "no role".to_owned(),
            false => format!("→ {}", joined(&group.roles)),
        };
        let because = match group.because.is_empty() {
            true => String::new(),
            false if group.missed => format!(" (warning: {})", line(&group.because.join("; "))),
            false => format!(" ({})", line(&group.because.join("; "))),
        };
        let _ = writeln!(page, "    {title:<9} {shown:<width$}  {gives}{because}");
    }
    if user.groups.is_empty() {
        let _ = writeln!(page, "    {:<9} none", "groups");
    }
    let roles = user.roles.iter().map(|role| {
        let from = role.from.join(", ");
        format!("{} ({from})", line(&role.role))
    });
    let roles: Vec<String> = roles.collect();
    let roles = match roles.is_empty() {
        true => "none".to_owned(),
        false => roles.join(", "),
    };
    let _ = writeln!(page, "    {:<9} {roles}", "roles");
    if let Some(row) = &user.row {
        let _ = writeln!(
            page,
            "    {:<9} in {}: {}",
            "row",
            row.backend,
            line(&row.what)
        );
        if let Some(roles) = &row.roles {
            let _ = writeln!(
                page,
                "    {:<9} its roles then, as far as {} has them: {}",
                "",
                row.backend,
                joined(roles)
            );
        }
    }
}

fn joined(roles: &[String]) -> String {
    match roles.is_empty() {
        true => "none".to_owned(),
        false => line(&roles.join(", ")),
    }
}

/// On one line, and without what a terminal would take for a command.
fn line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
