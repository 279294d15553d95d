//! The oauth plugin as users of the whole program see it, over a real provider.

mod bed;
