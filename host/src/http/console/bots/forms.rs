//! What the forms about bots say.

use std::time::Duration;

use crate::config::shapes::{Expiry, TokenForm};
use crate::http::login::fields::Fields;
use crate::token::lasting::Ask;
use crate::token::management::Earlier;

/// An option of a list.
pub(super) struct Choice {
    pub value: String,
    pub text: String,
    pub is_chosen: bool,
}

/// Roles, separated by commas or lines; each once.
pub(super) fn roles(fields: &Fields) -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    let text = fields.get("roles").unwrap_or_default();
    for role in text.split([',', '\n']).map(str::trim) {
        if !role.is_empty() && !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    roles
}

/// What the bot is for: lines as they were typed (forms send CRLF).
pub(super) fn description(fields: &Fields) -> String {
    let text = fields.get("description").unwrap_or_default().trim();
    text.replace("\r\n", "\n")
}

/// The token that is asked for. None = that is none of our forms.
pub(super) fn ask(fields: &Fields) -> Option<Ask> {
    let expiry = fields.get("expiry")?;
    let mut expiries = Expiry::ALL.into_iter();
    let expiry = expiries.find(|each| each.name() == expiry)?;
    let form = match fields.get("form")? {
        "jwt" => TokenForm::Jwt,
        "opaque" => TokenForm::Opaque,
        _ => return None,
    };
    let audience = fields.get("audience").unwrap_or_default();
    Some(Ask {
        name: fields
            .get("token_name")
            .unwrap_or_default()
            .trim()
            .to_owned(),
        form,
        expiry,
        audience: (!audience.is_empty()).then(|| audience.to_owned()),
        allow_unlimited: fields.get("unlimited").is_some(),
    })
}

/// What becomes of the earlier tokens.
pub(super) fn earlier(fields: &Fields) -> Option<Earlier> {
    match fields.get("earlier")? {
        "stay" => Some(Earlier::Stay),
        seconds => Some(Earlier::End(Duration::from_secs(seconds.parse().ok()?))),
    }
}

/// Expiries to choose from: OpenMetadata's, in its words.
pub(super) fn expiries() -> Vec<Choice> {
    let choice = |expiry: Expiry| Choice {
        value: expiry.name().to_owned(),
        text: span(expiry).to_owned(),
        is_chosen: expiry == Expiry::default(),
    };
    Expiry::ALL.map(choice).into()
}

/// What may become of earlier tokens, to choose from.
pub(super) fn fates() -> Vec<Choice> {
    let fates = [
        ("stay", "stay as they are"),
        ("3600", "end in an hour"),
        ("86400", "end in a day"),
        ("604800", "end in 7 days"),
        ("0", "are revoked at once"),
    ];
    let choice = |(value, text): (&str, &str)| Choice {
        value: value.to_owned(),
        text: text.to_owned(),
        is_chosen: value == "stay",
    };
    fates.map(choice).into()
}

/// An expiry in words.
pub(super) fn span(expiry: Expiry) -> &'static str {
    match expiry {
        Expiry::OneHour => "1 hour",
        Expiry::One => "1 day",
        Expiry::Seven => "7 days",
        Expiry::Thirty => "30 days",
        Expiry::Sixty => "60 days",
        Expiry::Ninety => "90 days",
        Expiry::Unlimited => "unlimited",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn roles_are_read_from_commas_and_lines_each_once() {
        let sent = fields("roles=Op%2C+Viewer%0D%0AData+Steward%0AOp%2C%2C");
        assert_eq!(roles(&sent), ["Op", "Viewer", "Data Steward"]);
        assert!(roles(&fields("a=b")).is_empty());
    }

    #[test]
    fn description_keeps_its_lines_as_they_were_typed() {
        let sent = fields("description=%0D%0ALoads+all%0D%0A%0D%0AAsk+Ada%0D%0A");
        assert_eq!(description(&sent), "Loads all\n\nAsk Ada");
        assert_eq!(description(&fields("a=b")), "");
    }

    #[test]
    fn b01_each_expiry_of_the_form_is_understood_and_others_are_not() {
        for choice in expiries() {
            let sent = fields(&format!("form=jwt&expiry={}", choice.value));
            assert_eq!(ask(&sent).unwrap().expiry.name(), choice.value);
        }
        for bad in ["", "expiry=31&form=jwt", "expiry=30&form=x", "expiry=30"] {
            assert!(ask(&fields(bad)).is_none(), "{bad}");
        }
        assert!(
            !ask(&fields("expiry=Unlimited&form=jwt"))
                .unwrap()
                .allow_unlimited
        );
    }

    #[test]
    fn each_fate_of_the_form_is_understood_and_others_are_not() {
        for choice in fates() {
            assert!(earlier(&fields(&format!("earlier={}", choice.value))).is_some());
        }
        assert!(earlier(&fields("earlier=soon")).is_none());
        assert_eq!(
            earlier(&fields("earlier=0")),
            Some(Earlier::End(Duration::ZERO))
        );
    }
}
