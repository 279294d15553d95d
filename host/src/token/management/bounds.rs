//! What a bot may be called, and its roles: bounded, and such that every page, list and header
//! can show it.

use super::ManagementError;

/// Characters of a display name, and of an address.
const LONGEST_TEXT: usize = 256;

/// Characters of a description.
const LONGEST_DESCRIPTION: usize = 4_096;

/// Characters of a role, and of a token's name.
const LONGEST_NAME: usize = 128;

/// Roles of one bot.
const MOST_ROLES: usize = 100;

/// The texts about a bot.
pub(super) fn texts(display: &str, description: &str, email: &str) -> Result<(), ManagementError> {
    let wrong = |what| Err(ManagementError::Text(what));
    match () {
        () if !is_line(display, LONGEST_TEXT) => {
            wrong("a display name is one line of at most 256 characters")
        }
        () if !is_line(email, LONGEST_TEXT) => {
            wrong("an address is one line of at most 256 characters")
        }
        // PostgreSQL knows no text with a NUL.
        () if description.chars().count() > LONGEST_DESCRIPTION || description.contains('\0') => {
            wrong("a description has at most 4096 characters, none of them NUL")
        }
        () => Ok(()),
    }
}

/// Its roles. Lists of roles are written with commas.
pub(super) fn roles(roles: &[String]) -> Result<(), ManagementError> {
    let fits = |role: &String| {
        role.trim() == role
            && !role.is_empty()
            && !role.contains(',')
            && is_line(role, LONGEST_NAME)
    };
    match roles.len() <= MOST_ROLES && roles.iter().all(fits) {
        true => Ok(()),
        false => Err(ManagementError::Text(
            "a bot has at most 100 roles, each of 1 to 128 characters, with no comma, no line break and no space at its ends",
        )),
    }
}

/// What a token is called.
pub(super) fn label(name: &str) -> Result<(), ManagementError> {
    match is_line(name, LONGEST_NAME) {
        true => Ok(()),
        false => Err(ManagementError::Text(
            "the name of a token is one line of at most 128 characters",
        )),
    }
}

fn is_line(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_no_list_could_show_are_refused() {
        let is_good = |role: &str| roles(&[role.to_owned()]).is_ok();
        for good in ["Op", "Data Steward", "rôle", "a:b/c"] {
            assert!(is_good(good), "{good}");
        }
        let long = "x".repeat(129);
        for bad in [
            "",
            " ",
            "Op ",
            "Viewer,Admin",
            "Op\r\nx: y",
            "\u{1b}[2J",
            &long,
        ] {
            assert!(!is_good(bad), "{bad:?}");
        }
        assert!(roles(&vec!["Op".to_owned(); 101]).is_err());
    }

    #[test]
    fn texts_are_bounded_and_only_a_description_has_lines() {
        assert!(texts("Nightly load", "What\nit does", "a@b").is_ok());
        let long = "x".repeat(4_097);
        for (display, description, email) in [
            ("a\nb", "", ""),
            (&*long, "", ""),
            ("", &long, ""),
            ("", "a\0b", ""),
            ("", "", "a\nb"),
        ] {
            assert!(texts(display, description, email).is_err());
        }
        assert!(label("laptop").is_ok() && label("lap\ttop").is_err());
    }
}
