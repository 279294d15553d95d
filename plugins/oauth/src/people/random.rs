//! Texts for tests of parsers: the same ones in each run, rich in what means something to
//! paths and addresses.

/// So many texts.
pub(crate) fn texts(count: u32) -> impl Iterator<Item = String> {
    const PARTS: &[&str] = &[
        "a",
        "Z",
        "0",
        "groups",
        "example",
        "com",
        ".",
        ".",
        "@",
        "@",
        "*",
        "*.",
        "\"",
        "\\",
        "[",
        "]",
        "[]",
        "?",
        "(",
        ")",
        "{",
        "}",
        "|",
        "||",
        "&",
        "'",
        "`",
        ":",
        "/",
        "https://",
        "-",
        "_",
        " ",
        "\0",
        "\n",
        "é",
        "ß",
        "漢",
        "\u{202e}",
        "xn--",
        "[*]",
        "join(",
        ",",
        "src1",
        "%",
        "~",
        "::1",
        "127.0.0.1",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    (0..count).map(move |_| {
        let length = next(10);
        (0..length).map(|_| PARTS[next(PARTS.len())]).collect()
    })
}
