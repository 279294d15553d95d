//! The OpenAPI document, held against the router and against its answers.

use std::collections::BTreeSet;

use countersign_tests::artifacts::repository;
use countersign_tests::{Folder, Server, artifacts, get, post_json, send};
use serde_json::Value;

use crate::{TEMPLATE, template};

/// Files of `host/src/http` whose routes are not public.
const PRIVATE: [&str; 2] = ["admin.rs", "control.rs"];

#[test]
fn every_documented_operation_is_served() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let own = "tokens: { audiences: { lake: { keys: own } } }\n";
    let server = Server::start(&folder, &format!("{TEMPLATE}{own}"));
    let answer = get(server.address, "/openapi.json");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json();
    assert_eq!(
        document["servers"][0]["url"],
        format!("http://{}", server.address)
    );
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{backend}", "door");
        let path = path.replace("{file}", "lake.json");
        for (method, operation) in operations.as_object().unwrap() {
            let answer = send(server.address, &method.to_uppercase(), &path, &[], b"");
            assert!(
                ![404, 405].contains(&answer.status),
                "{method} {path}: {}",
                answer.status
            );
            let documented = &operation["responses"][answer.status.to_string()];
            assert!(documented.is_object(), "{method} {path}: {}", answer.status);
        }
    }
}

#[test]
fn every_public_route_is_documented() {
    let documented = include_str!("../../host/src/http/openapi.json");
    let documented: Value = serde_json::from_str(documented).unwrap();
    let documented: BTreeSet<&str> = documented["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let folder = repository().join("host/src/http");
    let mut served = BTreeSet::new();
    let files = std::fs::read_dir(&folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let deeper = [
        "oauth2/authorize/mod.rs",
        "oauth2/device/mod.rs",
        "oauth2/introspect.rs",
        "oauth2/revoke.rs",
    ];
    for path in files.chain(deeper.map(|file| folder.join(file))) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // A face of several files has its routes in the first.
        let path = if path.is_dir() {
            path.join("mod.rs")
        } else {
            path
        };
        if path.extension().is_none_or(|end| end != "rs") || PRIVATE.contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        // But for the path of cookies, no text begins with a slash but a route's path.
        for literal in code.split("\"/").skip(1) {
            served.insert(format!("/{}", literal.split('"').next().unwrap()));
        }
    }
    served.remove("/");
    let served: BTreeSet<&str> = served.iter().map(String::as_str).collect();
    assert_eq!(documented, served);
}

#[test]
fn every_answer_of_the_token_api_is_documented_in_its_shape() {
    let folder = Folder::new();
    let server = template(&folder);
    let document = get(server.address, "/openapi.json").json();
    let responses = &document["paths"]["/auth/token"]["post"]["responses"];
    let form = ("content-type", "application/x-www-form-urlencoded");
    let mut answers = vec![
        server.login("ada", "door"),
        server.login("ada", "wrong"),
        post_json(server.address, "/auth/token", "{}"),
        post_json(server.address, "/auth/token", "["),
        post_json(server.address, "/auth/token", &"x".repeat(70_000)),
        send(server.address, "POST", "/auth/token", &[form], b"a=b"),
    ];
    answers.extend((0..11).map(|_| server.login("eve", "wrong")));
    for answer in answers {
        let response = resolved(&document, &responses[answer.status.to_string()]);
        let schema = &response["content"]["application/json"]["schema"];
        let required = resolved(&document, schema)["required"].as_array().unwrap();
        let body = answer.json();
        for member in required {
            assert!(!body[member.as_str().unwrap()].is_null(), "{answer:?}");
        }
        for name in response["headers"].as_object().unwrap().keys() {
            assert!(
                answer.header(&name.to_lowercase()).is_some(),
                "{name}: {answer:?}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = include_str!("../../host/src/http/openapi.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let mut references = 0;
    walk(&document, &mut |value| {
        if value["$ref"].is_string() {
            references += 1;
            assert!(resolved(&document, value).is_object(), "{value}");
        }
    });
    assert!(references > 30, "{references}");
}

/// What a `$ref` names, or the value itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(members) => members.values().for_each(|member| walk(member, visit)),
        _ => {}
    }
}
