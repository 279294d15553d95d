#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

fn errors(text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    parse(text, Path::new("c.yaml"), &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

fn root(text: &str) -> Vec<Entry> {
    let mut findings = Vec::new();
    let node = parse(text, Path::new("c.yaml"), &mut findings).unwrap();
    assert_eq!(findings, []);
    let Data::Map(entries) = node.data else {
        panic!("not a map")
    };
    entries
}

#[test]
fn places_and_styles_are_kept() {
    let entries = root("a: 1\nb:\n  c: \"x\"\n");
    assert_eq!(entries[0].value.place.to_string(), "c.yaml:1:4");
    assert_eq!(
        entries[0].value.data,
        Data::Scalar {
            text: "1".into(),
            quoted: false
        }
    );
    let Data::Map(inner) = &entries[1].value.data else {
        panic!("not a map")
    };
    assert_eq!(inner[0].place.to_string(), "c.yaml:3:3");
    assert_eq!(
        inner[0].value.data,
        Data::Scalar {
            text: "x".into(),
            quoted: true
        }
    );
}

#[test]
fn empty_file_and_comments_alone_are_an_empty_map() {
    assert_eq!(root(""), []);
    assert_eq!(root("# nothing\n"), []);
    assert_eq!(root("---\n"), []);
}

#[test]
fn byte_order_mark_is_skipped() {
    assert_eq!(root("\u{feff}a: 1")[0].key, "a");
}

#[test]
fn duplicate_keys_are_reported_with_both_places() {
    assert_eq!(
        errors("a: 1\nb: 2\na: 3\n"),
        [
            "error: the key `a` is written twice\n  --> c.yaml:3:1\ncaused by: first written at c.yaml:1:1\nhelp: keep one of the two"
        ]
    );
}

#[test]
fn tab_indent_is_reported_and_the_rest_still_read() {
    let mut findings = Vec::new();
    let node = parse("a:\n\tb: 1\n", Path::new("c.yaml"), &mut findings);
    assert_eq!(
        findings[0].to_string(),
        "error: a tab indents this line\n  --> c.yaml:2:1\nhelp: YAML indents with spaces only"
    );
    assert!(node.is_some());
}

#[test]
fn unquoted_interpolation_in_flow_context_gets_help() {
    for text in [
        "a: [1, ${L}]\n",
        "a: { k: ${V:-a b} }\n",
        "a: [${X}]\n",
        "a: ${X:-b: c}\n",
    ] {
        let found = errors(text).join("\n");
        assert!(
            found.contains("c.yaml:1:") && found.contains("quote it inside [ ] or { }"),
            "{text}: {found}"
        );
    }
}

#[test]
fn aliases_are_resolved_and_bombs_are_refused() {
    let entries = root("a: &x [1, 2]\nb: *x\n");
    assert_eq!(entries[0].value.data, entries[1].value.data);
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for i in 1..9 {
        let items = vec![format!("*a{}", i - 1); 9].join(",");
        bomb += &format!("a{i}: &a{i} [{items}]\n");
    }
    assert!(errors(&bomb)[0].contains("too many values"));
}

#[test]
fn depth_size_and_second_documents_are_refused() {
    let deep: String = (0..80).map(|i| format!("{}k:\n", " ".repeat(i))).collect();
    assert!(errors(&deep)[0].contains("nested too deeply"));
    assert!(errors(&format!("a: {}", "x".repeat(MAX_BYTES)))[0].contains("larger than 1 MiB"));
    assert!(errors("a: 1\n---\nb: 2\n")[0].contains("second document"));
    assert!(errors("- a\n")[0].contains("expected a map"));
    assert!(errors("a: !!python/object x\n")[0].contains("tags"));
    assert!(errors("<<: {a: 1}\n")[0].contains("merge keys"));
    assert!(errors("${K}: 1\n")[0].contains("a key holds ${…}"));
}

#[test]
fn random_bytes_never_panic_and_always_end() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let alphabet: Vec<char> = "ab: \n\t-[]{}\"'&*!|>#$,?%@`~\u{e9}".chars().collect();
    for _ in 0..3000 {
        let text: String = (0..40)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                alphabet[(seed % alphabet.len() as u64) as usize]
            })
            .collect();
        let mut findings = Vec::new();
        let node = parse(&text, Path::new("c.yaml"), &mut findings);
        assert!(node.is_some() || !findings.is_empty(), "{text:?}");
    }
}
