//! What authors of Countersign plugins depend on.
