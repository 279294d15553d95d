//! Ed25519 points that no honest signer has: those of small order, for which signatures can be
//! made without any secret, and second encodings of points (RFC 8032 section 5.1.3).

/// The y coordinates of the eight points whose order divides 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    {
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        minus_one
    },
];

/// May this encoded point be a public key, or begin a signature?
pub(crate) fn is_sound(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y[31] &= 0x7f; // the sign of x
    is_below_p(&y) && !SMALL_ORDER.contains(&y)
}

/// Does this signature begin with an `R` that somebody may have drawn? One of small order shows
/// that the signer has not, and equations hold for it that other verifiers check differently.
pub(crate) fn begins_soundly(signature: &[u8]) -> bool {
    signature.first_chunk().is_some_and(is_sound)
}

/// Little-endian y < p = 2^255 - 19.
fn is_below_p(y: &[u8; 32]) -> bool {
    y[0] < 0xed || y[31] != 0x7f || y[1..31].iter().any(|byte| *byte != 0xff)
}
