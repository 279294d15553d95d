//! The binary boundary between the Countersign host and its plugins.
