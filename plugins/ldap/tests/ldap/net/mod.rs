//! Connections to real servers: TLS of all kinds, sockets, restarts.

mod external;
mod fail_over;
mod measured;
mod tls;
