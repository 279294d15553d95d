//! Rules about bots that are seeded.

use serde_json::Value;

use super::Rules;
use crate::config::key::KeyPath;
use crate::config::shapes::is_our_client;

impl Rules<'_> {
    pub(super) fn bots(&mut self) {
        let Some(seed) = self.get("bots.seed").and_then(Value::as_object) else {
            return;
        };
        for (name, bot) in seed {
            let key = KeyPath::parse("bots.seed").child(name);
            let text = |part: &str| bot.get(part).and_then(Value::as_str).unwrap_or_default();
            let first = name.bytes().next();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
            let good = first.is_some_and(|byte| byte.is_ascii_alphanumeric())
                && name.len() <= 128
                && name.bytes().all(fits);
            if !good {
                self.error_at(
                    &key,
                    "this is no name for a bot",
                    "use letters, digits and . _ - @, the first a letter or a digit",
                );
            }
            if is_our_client(name) {
                self.error_at(
                    &key,
                    "this server itself has this name among OAuth clients",
                    "choose another name for the bot",
                );
            }
            if text("token_file").is_empty() {
                self.error_at(
                    &key,
                    "nobody would ever see this bot's token: `token_file` is missing",
                    "set token_file, such as {state}/tokens/NAME; it is written once, mode 0600",
                );
            }
            if text("expiry") == "Unlimited" && self.flag("bots.allow_unlimited") != Some(true) {
                self.error_at(
                    &key.child("expiry"),
                    "a token that never expires must be allowed explicitly",
                    "set bots.allow_unlimited: true, or write 90",
                );
            }
            let audience = text("audience");
            let known = self
                .get("tokens.audiences")
                .and_then(|all| all.get(audience));
            if !audience.is_empty() && known.is_none() {
                self.error_at(
                    &key.child("audience"),
                    "there is no such audience",
                    "name one of tokens.audiences, or leave it out for the default one",
                );
            }
        }
    }
}
