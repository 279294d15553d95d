//! What the page says of each name.

use super::{SIGNING, process};

pub(super) fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram};
    counter!(
        "countersign_http_requests_total",
        "Answers by route, method and status."
    );
    describe_histogram!(
        "countersign_http_request_seconds",
        "Seconds from a request's head to its answer's head."
    );
    counter!(
        "countersign_decisions_total",
        "Decided requests for a token by backend and outcome."
    );
    counter!(
        "countersign_tokens_issued_total",
        "Tokens by audience, algorithm and backend."
    );
    describe_histogram!(SIGNING, "Seconds that a signature took.");
    counter!(
        "countersign_throttled_total",
        "Requests turned away by the throttle, by what was counted."
    );
    counter!("countersign_reloads_total", "Reloads by result.");
    counter!(
        "countersign_key_changes_total",
        "Changes of signing keys by ring: rotated, retired, revoked, generated or imported by an operator; scheduled, gone; failed."
    );
    counter!(
        "countersign_panics_total",
        "Requests that ended in a panic of the host."
    );
    counter!(
        "countersign_verifications_total",
        "Requests at /auth/verify by trusted issuer, audience and outcome."
    );
    counter!(
        "countersign_trust_key_fetches_total",
        "Fetches of the keys of a trusted issuer, by result."
    );
    gauge!("countersign_store_up", "1: the store is in sight.");
    gauge!(
        "countersign_store_unseen_seconds",
        "Seconds for which the store has been out of sight."
    );
    gauge!(
        "countersign_revoked",
        "Revoked tokens, sessions and keys that are remembered."
    );
    counter!(
        "countersign_store_failures_total",
        "Queries of the store without an answer that can be used."
    );
    counter!(
        "countersign_store_regained_total",
        "Times that the store came in sight again."
    );
    gauge!("countersign_build_info", "1; the label is the version.");
    gauge!("countersign_keys", "Published keys by state.");
    gauge!(
        "countersign_throttle_entries",
        "Counters that the throttle keeps."
    );
    gauge!("countersign_bot_tokens", "Live tokens of bots.");
    gauge!(
        "countersign_bot_tokens_expiring",
        "Live tokens of bots that are over within this time and have no successor."
    );
    counter!(
        "countersign_connections_refused_total",
        "Connections closed because their address had too many."
    );
    counter!(
        "countersign_tls_handshakes_failed_total",
        "TLS handshakes that failed or took too long."
    );
    counter!(
        "countersign_backend_calls_total",
        "Calls of a backend by operation and outcome."
    );
    describe_histogram!(
        "countersign_backend_call_seconds",
        "Seconds that a backend took for a call."
    );
    gauge!(
        "countersign_backend_permits",
        "Calls that a backend could take now."
    );
    gauge!(
        "countersign_backend_breaker",
        "0 closed, 1 half open, 2 open: not asked."
    );
    counter!(
        "countersign_plugin_panics_total",
        "Panics of a backend's plugin."
    );
    counter!(
        "countersign_plugin_log_lines_dropped_total",
        "Log lines beyond what a backend may write."
    );
    process::describe();
}
