//! OpenMetadata's JWT set-up: the tokens of its ingestion.

mod ingestion;
