//! Opening the user's browser. What cannot be opened costs nothing: the address has been
//! printed.

use std::process::{Command, Stdio};

/// Those that the systems have: a desktop's own, and Windows' under WSL.
const USUAL: [&str; 2] = ["xdg-open", "wslview"];

/// Command lines to try, in order; `named` is `$BROWSER`: programs between colons, with `%s`
/// where the address goes if not to the end.
pub(super) fn candidates(named: Option<&str>) -> Vec<String> {
    let named = named.unwrap_or_default().split(':').map(str::trim);
    let named: Vec<String> = named
        .filter(|command| !command.is_empty())
        .map(str::to_owned)
        .collect();
    match named.is_empty() {
        true if cfg!(target_os = "macos") => vec!["open".to_owned()],
        true => USUAL.map(str::to_owned).to_vec(),
        false => named,
    }
}

/// Starts the first that can be started; no shell ever sees the address.
pub(super) fn open(candidates: &[String], url: &str) -> bool {
    candidates.iter().any(|candidate| {
        let words = words(candidate, url);
        let Some((program, arguments)) = words.split_first() else {
            return false;
        };
        let started = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        started.is_ok()
    })
}

fn words(command: &str, url: &str) -> Vec<String> {
    let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let mut placed = false;
    for word in words.iter_mut().filter(|word| word.contains("%s")) {
        *word = word.replace("%s", url);
        placed = true;
    }
    if !placed {
        words.push(url.to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://a.example/?a=1&b=%73";

    #[test]
    fn named_browsers_come_first_and_alone() {
        assert_eq!(
            candidates(Some("firefox: w3m %s ::")),
            ["firefox", "w3m %s"]
        );
        assert_eq!(candidates(Some("")), candidates(None));
        assert!(!candidates(None).is_empty());
    }

    #[test]
    fn address_is_one_word_wherever_it_stands() {
        assert_eq!(
            words("firefox --new-tab", URL),
            ["firefox", "--new-tab", URL]
        );
        assert_eq!(
            words("w3m -o x=%s -v", URL),
            ["w3m", "-o", &format!("x={URL}"), "-v"]
        );
    }

    #[test]
    fn browsers_that_are_not_there_are_passed_over() {
        let missing = "no-such-browser-7f3a".to_owned();
        assert!(!open(std::slice::from_ref(&missing), URL));
        assert!(open(&[missing, "true".to_owned()], URL));
    }
}
