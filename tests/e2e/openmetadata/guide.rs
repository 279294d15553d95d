//! `host/docs/openmetadata.md`: its commands and blocks, taken out of it and run as they stand.

use std::fs;
use std::process::Command;

use countersign_tests::Folder;
use countersign_tests::artifacts::{binary, repository};

/// The guide, and a folder in which it is followed.
pub(super) struct Guide {
    text: String,
    pub(super) folder: Folder,
    /// The `export` lines of the commands that were run.
    exports: String,
}

impl Guide {
    pub(super) fn open() -> Self {
        let file = repository().join("host/docs/openmetadata.md");
        Guide {
            text: fs::read_to_string(file).unwrap(),
            folder: Folder::new(),
            exports: String::new(),
        }
    }

    /// The first block of this language below a heading that begins so.
    pub(super) fn block(&self, heading: &str, language: &str) -> String {
        let section = self.text.split("\n## ").find(|it| it.starts_with(heading));
        let section = section.unwrap_or_else(|| panic!("no section {heading}"));
        let block = section.split(&format!("```{language}\n")).nth(1);
        let block = block.unwrap_or_else(|| panic!("no {language} below {heading}"));
        block.split("```").next().unwrap().to_owned()
    }

    /// Runs the commands below a heading; what they printed.
    pub(super) fn run(&mut self, heading: &str) -> String {
        let commands = self.block(heading, "sh");
        let printed = self
            .shell(&commands)
            .unwrap_or_else(|error| panic!("{heading}\n{error}"));
        let exports = commands.lines().filter(|line| line.starts_with("export "));
        exports.for_each(|line| self.exports += &format!("{line}\n"));
        printed
    }

    /// Runs commands with what was exported before; both streams, as an error where one failed.
    pub(super) fn shell(&self, commands: &str) -> Result<String, String> {
        let path = std::env::var("PATH").unwrap();
        let done = Command::new("bash")
            .args(["-euo", "pipefail", "-c"])
            .arg(format!("{}{commands}", self.exports))
            .current_dir(self.folder.path())
            .env_clear()
            .env(
                "PATH",
                format!("{}:{path}", binary().parent().unwrap().display()),
            )
            .env("COUNTERSIGN_STATE", self.folder.join("state"))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let printed = text(done.stdout) + &text(done.stderr);
        match done.status.success() {
            true => Ok(printed),
            false => Err(format!("{}\n{printed}", done.status)),
        }
    }

    /// The value of an exported variable.
    pub(super) fn variable(&self, name: &str) -> String {
        let value = self.shell(&format!("printf %s \"${name}\"\n"));
        value.unwrap()
    }

    /// The bot's token, as the last command wrote it.
    pub(super) fn token(&self) -> String {
        let text = fs::read_to_string(self.folder.join("bot.jwt")).unwrap();
        text.trim().to_owned()
    }
}
