//! OpenMetadata's JWT set-up: its page as one walkthrough, and the tokens of its ingestion.

mod guide;
mod ingestion;
mod walkthrough;
