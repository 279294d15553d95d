//! A headless Chromium, through `testbed/chromium/`: what a person does and sees, step by step.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::peer::script;

/// A browser with one page; it ends with this value, or with this process. What is looked for is
/// waited for; what does not come within ten seconds fails the test with what was seen instead.
pub struct Chromium {
    child: Child,
    steps: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: Folder,
}

/// What kind of browser.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kind {
    /// Its user prefers dark colours.
    pub dark: bool,
    /// 360 × 640, touch.
    pub phone: bool,
    /// Scripts are off.
    pub plain: bool,
    /// Any certificate is believed.
    pub any_certificate: bool,
}

/// What a user never sees: console errors, script errors, failed requests, violations of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// `console`, `script`, `request` or `csp`.
    pub kind: String,
    pub text: String,
    pub url: String,
}

impl Chromium {
    /// A browser as most have it.
    pub fn start() -> Self {
        Chromium::with(Kind::default())
    }

    pub fn with(kind: Kind) -> Self {
        let mut command = Command::new(script("chromium/chromium.sh"));
        command.arg("run").stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut browser = Chromium {
            steps: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            folder: Folder::new(),
        };
        browser.open(kind);
        browser
    }

    /// Another one, that has never been anywhere and knows no cookies.
    pub fn open(&mut self, kind: Kind) {
        self.step(&json!({ "open": {
            "dark": kind.dark, "phone": kind.phone, "plain": kind.plain, "any_certificate": kind.any_certificate,
        } }));
    }

    /// Opens an address; the status of the page that it leads to.
    pub fn goto(&mut self, url: &str) -> u64 {
        self.step(&json!({ "goto": url })).as_u64().unwrap()
    }

    /// Fills the field with this label.
    pub fn fill(&mut self, label: &str, text: &str) {
        self.step(&json!({ "fill": label, "with": text }));
    }

    /// Chooses an option, by its text, in the list with this label.
    pub fn select(&mut self, label: &str, option: &str) {
        self.step(&json!({ "select": label, "option": option }));
    }

    /// Loads the page anew, as the user does: a form's answer asks for it again. The status.
    pub fn reload(&mut self) -> u64 {
        self.step(&json!({ "reload": true })).as_u64().unwrap()
    }

    /// Clicks on what has this role and name, such as `("button", "Sign in")`.
    pub fn click(&mut self, role: &str, name: &str) {
        self.step(&json!({ "click": name, "role": role }));
    }

    /// Presses a key, such as `Tab` or `Enter`.
    pub fn press(&mut self, key: &str) {
        self.step(&json!({ "press": key }));
    }

    /// Types where the keyboard is.
    pub fn write(&mut self, text: &str) {
        self.step(&json!({ "type": text }));
    }

    /// Waits until this text is there to be seen.
    pub fn see(&mut self, text: &str) {
        self.step(&json!({ "see": text }));
    }

    /// Waits until the address begins so; the whole address.
    pub fn at(&mut self, start: &str) -> String {
        let url = self.step(&json!({ "at": start }));
        url.as_str().unwrap().to_owned()
    }

    /// All the text of the page.
    pub fn text(&mut self) -> String {
        let text = self.step(&json!({ "text": true }));
        text.as_str().unwrap().to_owned()
    }

    /// The page as a screen reader has it: roles and names, as indented lines.
    pub fn tree(&mut self) -> String {
        let tree = self.step(&json!({ "tree": true }));
        tree.as_str().unwrap().to_owned()
    }

    /// What has the keyboard: its element and label, such as `input Username`.
    pub fn focus(&mut self) -> String {
        let focus = self.step(&json!({ "focus": true }));
        focus.as_str().unwrap().to_owned()
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        self.step(&json!({ "evaluate": expression }))
    }

    /// All cookies, of any site: `name`, `value`, `httpOnly`, `secure`, `sameSite`, `path`, `expires`.
    pub fn cookies(&mut self) -> Vec<Value> {
        let cookies = self.step(&json!({ "cookies": true }));
        cookies.as_array().unwrap().clone()
    }

    /// Sets cookies that [`Chromium::cookies`] gave, for the site at this address.
    pub fn set_cookies(&mut self, cookies: &[Value], url: &str) {
        let cookie = |cookie: &Value| json!({ "name": cookie["name"], "value": cookie["value"], "url": url });
        let cookies: Vec<Value> = cookies.iter().map(cookie).collect();
        self.step(&json!({ "set_cookies": cookies }));
    }

    /// What went wrong unseen, since the start, on pages and requests whose address begins so.
    pub fn troubles(&mut self, start: &str) -> Vec<Trouble> {
        let troubles = self.step(&json!({ "troubles": true }));
        let text = |trouble: &Value, key: &str| trouble[key].as_str().unwrap_or("").to_owned();
        let troubles = troubles.as_array().unwrap().iter().map(|trouble| Trouble {
            kind: text(trouble, "kind"),
            text: text(trouble, "text"),
            url: text(trouble, "url"),
        });
        troubles
            .filter(|trouble| trouble.url.starts_with(start))
            .collect()
    }

    /// A picture of the whole page, `<name>.png` in `COUNTERSIGN_TEST_SCREENSHOTS`, or in a folder
    /// that is gone with this value.
    pub fn screenshot(&mut self, name: &str) -> PathBuf {
        let folder = std::env::var_os("COUNTERSIGN_TEST_SCREENSHOTS").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| self.folder.path().to_path_buf());
        let file = folder.join(format!("{name}.png"));
        self.step(&json!({ "screenshot": file.to_str().unwrap() }));
        file
    }

    fn step(&mut self, step: &Value) -> Value {
        let steps = self.steps.as_mut().unwrap();
        writeln!(steps, "{step}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{step}: {error}: {line:?}"));
        assert_eq!(
            answer["error"],
            Value::Null,
            "{step}\nat {}:\n{}",
            answer["url"],
            answer["seen"].as_str().unwrap_or("")
        );
        answer["is"].take()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.steps.take());
        let _ = self.child.wait();
    }
}
