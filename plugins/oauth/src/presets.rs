//! What is known of each provider beforehand.
