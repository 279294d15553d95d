//! Texts for tests of parsers: the same ones in each run, rich in what means something to
//! filters and names.

/// So many texts.
pub(crate) fn texts(count: u32) -> impl Iterator<Item = String> {
    const LETTERS: &[char] = &[
        'a',
        'Z',
        '0',
        'f',
        '2',
        'C',
        ' ',
        ' ',
        '\\',
        '\\',
        '*',
        '(',
        ')',
        '\0',
        ',',
        '+',
        '"',
        '<',
        '>',
        ';',
        '=',
        '#',
        '&',
        '|',
        '!',
        '{',
        '}',
        '%',
        '/',
        '\n',
        '\u{7f}',
        'é',
        'ß',
        '\u{301}',
        '漢',
        '\u{1f511}',
        '\u{202e}',
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    (0..count).map(move |_| {
        let length = next(12);
        (0..length).map(|_| LETTERS[next(LETTERS.len())]).collect()
    })
}
