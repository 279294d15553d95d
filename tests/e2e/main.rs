//! One end-to-end binary: linking is dear, and one binary links once.
