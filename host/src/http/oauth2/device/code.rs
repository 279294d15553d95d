//! User codes: short, for people to copy (RFC 8628 section 6.1). Eight consonants, so that they
//! make no words and none looks like another: 34 bits, guessed at by users who are signed in
//! and are slowed down.

/// No vowels, no Y.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

const LENGTH: usize = 8;

/// A user code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserCode(String);

impl UserCode {
    /// A new one. None = the system has no random numbers.
    pub(super) fn random() -> Option<Self> {
        let mut code = String::new();
        while code.len() < LENGTH {
            let mut bytes = [0; 2 * LENGTH];
            aws_lc_rs::rand::fill(&mut bytes).ok()?;
            // 240 = 12 × 20: every letter is as likely as any other.
            let fair = bytes.iter().filter(|byte| **byte < 240);
            let letters = fair.map(|byte| char::from(LETTERS[usize::from(byte % 20)]));
            code.extend(letters.take(LENGTH - code.len()));
        }
        Some(UserCode(code))
    }

    /// As somebody typed it: in any case, with or without hyphen and spaces. None = it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let separates = |c: &char| c.is_ascii_whitespace() || *c == '-';
        let letters = text.chars().filter(|c| !separates(c));
        let code: String = letters
            .map(|c| c.to_ascii_uppercase())
            .take(LENGTH + 1)
            .collect();
        let known = code.bytes().all(|byte| LETTERS.contains(&byte));
        (known && code.len() == LENGTH).then_some(UserCode(code))
    }

    /// As it is kept.
    pub(super) fn plain(&self) -> &str {
        &self.0
    }

    /// As people see it.
    pub(super) fn shown(&self) -> String {
        let (first, rest) = self.0.split_at(LENGTH / 2);
        format!("{first}-{rest}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn code_is_read_back_however_people_type_it() {
        for _ in 0..1_000 {
            let code = UserCode::random().unwrap();
            let shown = code.shown();
            assert_eq!(shown.len(), LENGTH + 1);
            let spaced = format!(" {} ", shown.replace('-', " - ").to_lowercase());
            for typed in [&shown, code.plain(), &spaced] {
                assert_eq!(UserCode::parse(typed).as_ref(), Some(&code), "{typed}");
            }
        }
    }

    #[test]
    fn what_has_other_letters_or_another_length_is_no_code() {
        for text in [
            "",
            "BCDF",
            "BCDF-GHJ",
            "BCDF-GHJKL",
            "BCDF-GHJA",
            "BCDF-GHJ1",
            "ＢCDF-GHJK",
            "BCDF_GHJK",
        ] {
            assert_eq!(UserCode::parse(text), None, "{text}");
        }
        let long = "B".repeat(1_000_000);
        assert_eq!(UserCode::parse(&long), None);
    }

    #[test]
    fn every_letter_comes() {
        let many: String = (0..500).map(|_| UserCode::random().unwrap().0).collect();
        for letter in LETTERS {
            assert!(many.contains(char::from(*letter)));
        }
    }
}
