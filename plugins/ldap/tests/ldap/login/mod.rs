//! Who comes in, who does not, and how both are told.

mod flows;
