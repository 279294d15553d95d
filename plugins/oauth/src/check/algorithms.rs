//! Which signatures are accepted.

use countersign_verify::Algorithm;

/// The algorithms of these names; of none the preset's.
pub(super) fn algorithms(names: &[String], preset: &[Algorithm]) -> Result<Vec<Algorithm>, String> {
    if names.is_empty() && preset.is_empty() {
        return Err(
            "expected the algorithms that the provider signs with, found none; most have [RS256]: see \
             id_token_signing_alg_values_supported in its discovery document"
                .to_owned(),
        );
    }
    if names.is_empty() {
        return Ok(preset.to_vec());
    }
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for name in names {
        match one(name.trim()) {
            Ok(found) if all.contains(&found) => {}
            Ok(found) => all.push(found),
            Err(why) => wrong.push(why),
        }
    }
    match wrong.is_empty() {
        true => Ok(all),
        false => Err(wrong.join(", and ")),
    }
}

fn one(name: &str) -> Result<Algorithm, String> {
    let upper = name.to_ascii_uppercase();
    if upper == "NONE" {
        return Err("found none: a token without a signature is anybody's; let the provider sign, as with RS256".to_owned());
    }
    if upper.starts_with("HS") {
        return Err(format!(
            "found {upper}: whoever can check such a token can make one; let the provider sign with a key pair, as \
             with RS256"
        ));
    }
    name.parse().map_err(|_| {
        let all: Vec<&str> = Algorithm::ALL.into_iter().map(Algorithm::name).collect();
        let meant = all.iter().find(|known| known.eq_ignore_ascii_case(name));
        let help = meant
            .map(|known| format!("; meant is {known}"))
            .unwrap_or_default();
        format!("expected some of {}, found {name:?}{help}", all.join(" "))
    })
}
