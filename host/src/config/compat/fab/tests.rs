//! What files become.

mod any;

use super::*;
use any::is_sound;

/// The lines of the document without blanks around them and comments behind.
fn lines(text: &str) -> Vec<String> {
    let lines = import(text).yaml;
    let line = |line: &str| {
        line.split("  #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    lines.lines().map(line).collect()
}

fn ldap(more: &str) -> String {
    format!("AUTH_TYPE = AUTH_LDAP\nAUTH_LDAP_SERVER = 'ldaps://a'\n{more}\n")
}

fn has(text: &str, expected: &str) {
    let lines = lines(text);
    assert!(
        lines.iter().any(|line| line == expected),
        "{expected} is missing in {lines:#?}"
    );
}

/// `line: key` of what is lacking.
fn lacking(text: &str) -> Vec<String> {
    let remarks = import(text).remarks;
    let lacking = remarks.iter().filter(|remark| remark.lacking);
    lacking
        .map(|remark| format!("{}: {}", remark.line, remark.key))
        .collect()
}

#[test]
fn texts_in_all_quotings_are_read() {
    for (python, expected) in [
        (r#"'a'"#, "a"),
        (r#""a\tb\x41\u00e9\U0001F600\101""#, "\"a\\tbAé😀A\""),
        (r"r'a\d'", r#""a\\d""#),
        (r"u'a' b'b' R'c'", "abc"),
        ("('a'\n   'b' # c\n 'd')", "abd"),
        ("'''a\nb'''", "\"a\\nb\""),
        ("'a\\\n b'", "\"a b\""),
        (r#"'it\'s'"#, "\"it's\""),
        ("'${X}'", "\"$${X}\""),
        ("'' 'x'", "x"),
        ("''", "-"),
    ] {
        let text = ldap(&format!("AUTH_LDAP_SEARCH = {python}"));
        match expected {
            "-" => assert!(!import(&text).yaml.contains("base:"), "{python}"),
            expected => has(&text, &format!("base: {expected}")),
        }
        assert_eq!(lacking(&text), [""; 0], "{python}");
    }
}

#[test]
fn environment_becomes_variables() {
    for (python, expected) in [
        ("os.environ['A']", "base: \"${A}\""),
        ("os.environ.get('A')", "base: ${A:-}"),
        ("os.environ.get('A', 'd c')", "base: \"${A:-d c}\""),
        ("os.getenv(\"A\", \"d\",)", "base: \"${A:-d}\""),
    ] {
        has(&ldap(&format!("AUTH_LDAP_SEARCH = {python}")), expected);
    }
    for python in [
        "os.environ.get('A', '}')",
        "os.environ.get(A)",
        "os.environ.get('A', f())",
    ] {
        let told = lacking(&ldap(&format!("AUTH_LDAP_SEARCH = {python}")));
        assert_eq!(told, ["3: AUTH_LDAP_SEARCH"], "{python}");
    }
}

#[test]
fn what_only_python_can_evaluate_is_told_with_its_line_and_kind() {
    for (python, what) in [
        ("conf.get('ldap', 'base')", "a call of conf.get"),
        ("f'{x}'", "an f-string"),
        ("lambda: {'a': 1}", "a lambda"),
        ("'a' if x else 'b'", "a conditional expression"),
        ("'a' + b", "an expression"),
        ("[x for x in y]", "a list"),
        ("unknown", "the name unknown"),
        ("3.5", "an expression"),
        ("7", "a number"),
        ("'\\N{DASH}'", "a text with a character by its name"),
        ("'\\ud800'", "a text with an escape that is no character"),
        ("'open", "a text without an end"),
        ("'a' 'b' f''", "an f-string"),
    ] {
        let text = ldap(&format!("\nAUTH_LDAP_SEARCH = {python}"));
        let remarks = import(&text).remarks;
        let found = remarks
            .iter()
            .find(|remark| remark.key == "AUTH_LDAP_SEARCH");
        let found = found.unwrap_or_else(|| panic!("{python}: {remarks:#?}"));
        assert!(
            found.lacking && found.line == 4 && found.what.starts_with(what),
            "{python}: {found:?}"
        );
    }
    let help = &import(&ldap("AUTH_LDAP_SEARCH = conf.get('ldap', 'base')")).remarks[0].help;
    assert!(help.contains("${AIRFLOW__LDAP__BASE}"), "{help}");
}

#[test]
fn names_of_literals_are_followed_unless_they_change() {
    has(&ldap("B = 'dc=x'\nAUTH_LDAP_SEARCH = B"), "base: \"dc=x\"");
    for change in [
        "b += 'y'",
        "b[0] = 1",
        "b.update(1)",
        "if x:\n    b = 2",
        "b = f()",
    ] {
        let told = lacking(&ldap(&format!(
            "b = 'dc=x'\n{change}\nAUTH_LDAP_SEARCH = b"
        )));
        assert!(
            told.iter().any(|told| told.ends_with(": AUTH_LDAP_SEARCH")),
            "{change}: {told:?}"
        );
    }
    // Twice as large with each line: bounded.
    let doubling: String = (0..64)
        .map(|n| format!("a{} = [a{n}, a{n}]\n", n + 1))
        .collect();
    import(&format!(
        "a0 = ['x', 'y']\n{doubling}AUTH_ROLES_MAPPING = a64"
    ));
}

#[test]
fn statements_that_are_no_assignments_are_told() {
    let text = "\"\"\"doc\"\"\"\nimport os\nfrom a import b\nldap.set_option(1, 2)\nclass S(X):\n    AUTH_TYPE = 2\n\
        @d\ndef f():\n    return 1\nif x: AUTH_TYPE = 4\nelse:\n    AUTH_ROLE_PUBLIC = 'x'\nfrom c import *\nAUTH_ROLES_MAPPING['a'] = ['b']\n\
        AUTH_TYPE: int = 1; WTF_CSRF_ENABLED = True\n";
    let expected = [
        "4: ldap.set_option",
        "5: class S",
        "8: def f",
        "10: AUTH_TYPE",
        "12: AUTH_ROLE_PUBLIC",
        "13: import *",
        "14: AUTH_ROLES_MAPPING",
    ];
    assert_eq!(lacking(text), expected);
}

#[test]
fn names_of_other_modules_are_told_and_never_dropped() {
    let text = "from flask_appbuilder.security.manager import AUTH_LDAP as WAY, AUTH_DB\nAUTH_TYPE = WAY\n\
        from corp import (\n    AUTH_LDAP_SERVER, AUTH_LDAP_BIND_USER,\n    PW as AUTH_LDAP_BIND_PASSWORD,\n)\n\
        b = 'dc=x'\nfrom corp import b\nAUTH_LDAP_SEARCH = b\nfrom x import AUTH_NEW, UTC\n\
        try:\n    from local import *\n    from local import AUTH_ROLES_MAPPING\nexcept ImportError:\n    pass\n";
    let expected = [
        "4: AUTH_LDAP_BIND_USER",
        "4: AUTH_LDAP_SERVER",
        "5: AUTH_LDAP_BIND_PASSWORD",
        "9: AUTH_LDAP_SEARCH",
        "10: AUTH_NEW",
        "12: import *",
        "13: AUTH_ROLES_MAPPING",
    ];
    assert_eq!(lacking(text), expected);
    has(text, "plugin: ldap");
    has(text, "bind_password: { env: LDAP_BIND_PASSWORD }");
}

#[test]
fn each_of_several_names_is_told() {
    let told = lacking(&ldap(
        "AUTH_LDAP_SEARCH, (AUTH_LDAP_UID_FIELD) = 'dc=x', 'uid'\nif x:\n    AUTH_ROLE_PUBLIC, AUTH_ROLE_ADMIN = f()\n    configure()",
    ));
    let expected = [
        "3: AUTH_LDAP_SEARCH",
        "3: AUTH_LDAP_UID_FIELD",
        "5: AUTH_ROLE_ADMIN",
        "5: AUTH_ROLE_PUBLIC",
        "6: configure",
    ];
    assert_eq!(told, expected);
}

#[test]
fn setting_that_a_condition_changes_makes_no_other() {
    let told = lacking(&ldap(
        "BASE = 'dc=x'\nif prod:\n    BASE = 'dc=y'\nAUTH_LDAP_SEARCH = BASE\nBASE = 'dc=z'\nAUTH_LDAP_UID_FIELD = BASE",
    ));
    assert_eq!(told, ["5: BASE", "6: AUTH_LDAP_SEARCH"]);
}

#[test]
fn way_that_a_condition_decides_is_told_and_its_settings_are_converted() {
    for before in ["", "AUTH_TYPE = AUTH_DB\n"] {
        let text = format!(
            "{before}if os.getenv('LDAP'):\n    AUTH_TYPE = AUTH_LDAP\n    AUTH_LDAP_BIND_USER = 'cn=svc'\n\
             AUTH_LDAP_SERVER = 'ldaps://a'\nAUTH_LDAP_BIND_PASSWORD = 'x'\nAUTH_LDAP_SEARCH = 'dc=x'\n"
        );
        has(&text, "base: \"dc=x\"");
        has(&text, "bind_password: { env: LDAP_BIND_PASSWORD }");
        assert!(!import(&text).yaml.contains("username_format"), "{text}");
        let told = import(&text).remarks;
        let guess = told.iter().find(|told| told.what.contains("depends"));
        assert!(
            guess.is_some_and(|told| told.lacking && told.help.contains("AUTH_LDAP")),
            "{told:?}"
        );
    }
    let text = "match way:\n    case 'x':\n        AUTH_TYPE = AUTH_OAUTH\n";
    assert_eq!(lacking(text), ["0: AUTH_TYPE", "3: AUTH_TYPE"]);
}

#[test]
fn variable_that_may_be_absent_must_be_set_inside_of_brackets() {
    let text = ldap(
        "AUTH_USER_REGISTRATION = True\nAUTH_USER_REGISTRATION_ROLE = os.getenv('R')\n\
         AUTH_LDAP_TLS_KEYFILE = os.getenv('K', '')\nAUTH_LDAP_SEARCH_FILTER = os.getenv('F', '')",
    );
    has(&text, "registration: [\"${R}\"]");
    has(&text, "private_key: { file: \"${K}\" }");
    has(&text, "filter: ${F:-}");
    is_sound(&text);
}

#[test]
fn files_of_windows_are_read_as_any_others() {
    let text = "\u{feff}AUTH_TYPE = \\\r\n\t2\r\n\x0cAUTH_LDAP_SERVER = (\r\n\t'ldaps://a'\r\n)\r\nif x:\r\n\tAUTH_LDAP_SEARCH = 1\r\n";
    has(text, "url: \"ldaps://a\"");
    assert_eq!(lacking(text), ["7: AUTH_LDAP_SEARCH"]);
}

#[test]
fn secrets_of_the_file_are_nowhere_in_what_is_written() {
    let text = ldap(
        "AUTH_LDAP_BIND_USER = 'cn=svc'\nAUTH_LDAP_BIND_PASSWORD = 's3cret'\nSECRET_KEY = 's3cret'\n\
         SQLALCHEMY_DATABASE_URI = 'postgresql://a:s3cret@b'\nX = f('s3cret')",
    );
    let other = "AUTH_TYPE = 4\nOAUTH_PROVIDERS = [{'name': 'a', 'remote_app': {'client_secret': 's3cret', \
        'api_base_url': 'https://u:s3cret@h/x', 'jwks': {'k': 's3cret'}, \
        'access_token_headers': {'Authorization': 'Basic s3cret'}, 'api_key': 's3cret', 'params': ['s3cret', 1], \
        'access_token_url': 'https://h/t?code=s3cret', 'issuer': os.getenv('I', 'https://a:s3cret@h'), \
        'token': os.getenv('T', 's3cret')}}]\n";
    let url = "AUTH_TYPE = 2\nAUTH_LDAP_SERVER = os.getenv('S', 'ldap://a:s3cret@b')\n";
    let default =
        ldap("AUTH_LDAP_BIND_USER = 'a'\nAUTH_LDAP_BIND_PASSWORD = os.environ.get('P', 's3cret')");
    for text in [text.as_str(), other, &default, url] {
        let imported = import(text);
        assert!(!imported.yaml.contains("s3cret"), "{}", imported.yaml);
        assert!(
            !format!("{:?}", imported.remarks).contains("s3cret"),
            "{:?}",
            imported.remarks
        );
        assert!(imported.lacking() > 0);
    }
    has(&text, "bind_password: { env: LDAP_BIND_PASSWORD }");
    has(&default, "bind_password: { env: P }");
}

fn oauth(name: &str, more: &str) -> String {
    format!("AUTH_TYPE = 4\nOAUTH_PROVIDERS = [{{'name': '{name}', {more}}}]\n")
}

#[test]
fn hosts_that_a_login_leads_back_to_are_origins() {
    let hosts = "FAB_SAFE_REDIRECT_HOSTS = ['airflow.example.com', '*.example.org', f()]\n\
        AUTH_RATE_LIMIT = '5 per minute'\n";
    let text = format!("{}{hosts}", oauth("google", ""));
    has(&text, "return_to: [\"https://airflow.example.com\"]");
    let imported = import(&text);
    assert_eq!(imported.yaml.matches("\nserver:").count(), 1);
    let told = |line: &&Remark| {
        line.to_string()
            .contains("FAB_SAFE_REDIRECT_HOSTS: not converted")
    };
    assert_eq!(imported.remarks.iter().filter(told).count(), 2);
    // Of those who have no provider Airflow's own pages alone lead back.
    assert!(!import(hosts).yaml.contains("return_to"));
}

#[test]
fn what_fab_leaves_open_waits_for_a_variable() {
    let app = |name, more| oauth(name, &format!("'remote_app': {{'client_id': 'c', {more}}}"));
    for (name, more, expected) in [
        ("x-y", "", "issuer: \"${OAUTH_X_Y_ISSUER}\""),
        (
            "keycloak",
            "'api_base_url': f()",
            "issuer: \"${OAUTH_KEYCLOAK_ISSUER}\"",
        ),
        (
            "keycloak",
            "'server_metadata_url': os.environ['M']",
            "discovery_url: \"${M}\"",
        ),
        (
            "azure",
            "'access_token_url': 'https://login.microsoftonline.com/common/oauth2/token'",
            "tenant: \"${OAUTH_AZURE_TENANT}\"",
        ),
        (
            "azure",
            "'client_kwargs': {'tenant_id': 'contoso.com'}",
            "tenant: \"${OAUTH_AZURE_TENANT}\"",
        ),
        (
            "azure",
            "'client_kwargs': {'tenant_id': os.getenv('T')}",
            "tenant: ${T:-}",
        ),
        (
            "azure",
            "'api_base_url': 'https://login.microsoftonline.us/c0ffee00-0000-4000-8000-000000000001/oauth2'",
            "domain: login.microsoftonline.us",
        ),
    ] {
        has(&app(name, more), expected);
    }
    for whitelist in ["'.*'", "f()", "['a', 'b']", "WHITELIST"] {
        let text = oauth("google", &format!("'whitelist': {whitelist}"));
        has(&text, "email_domains: \"${OAUTH_GOOGLE_EMAIL_DOMAINS}\"");
    }
    for none in ["[]", "None", "''"] {
        let yaml = import(&oauth("google", &format!("'whitelist': {none}"))).yaml;
        assert!(!yaml.contains("email_domains"), "{none}: {yaml}");
    }
}

#[test]
fn providers_of_one_name_are_two_backends_and_share_their_roles() {
    let text = "AUTH_TYPE = 4\nAUTH_USER_REGISTRATION = True\nAUTH_USER_REGISTRATION_ROLE = 'Public'\n\
        OAUTH_PROVIDERS = [{'name': 'google'}, {'name': 'Google'}]";
    let lines = lines(text);
    let count = |expected: &str| lines.iter().filter(|line| *line == expected).count();
    assert_eq!((count("google:"), count("google_2:")), (1, 1), "{lines:#?}");
    assert_eq!(count("registration: [Public]"), 2, "{lines:#?}");
    assert_eq!(count("provider: google"), 2, "{lines:#?}");
}

#[test]
fn without_providers_the_database_alone_remains() {
    for text in ["AUTH_TYPE = 4", "AUTH_TYPE = 4\nOAUTH_PROVIDERS = make()"] {
        has(text, "access: counters");
        assert!(!import(text).yaml.contains("plugin: oauth"));
    }
}

#[test]
fn numbers_and_names_of_auth_type_are_the_same() {
    for auth in ["2", "AUTH_LDAP"] {
        has(
            &format!("AUTH_TYPE = {auth}\nAUTH_LDAP_SERVER = 'ldaps://a ldaps://b'"),
            "url: [\"ldaps://a\", \"ldaps://b\"]",
        );
    }
    assert_eq!(lacking("AUTH_TYPE = 1"), [""; 0]);
    assert_eq!(lacking("AUTH_TYPE = 3"), ["1: AUTH_TYPE"]);
    assert_eq!(lacking("AUTH_TYPE = AUTH_OID"), ["1: AUTH_TYPE"]);
    assert_eq!(lacking(""), [""; 0]);
}

#[test]
fn direct_flow_becomes_a_template() {
    has(
        &ldap("AUTH_LDAP_USERNAME_FORMAT = 'uid=%s,dc=x'"),
        "username_format: \"uid={username},dc=x\"",
    );
    has(
        &ldap("AUTH_LDAP_APPEND_DOMAIN = 'x.org'"),
        "append_domain: x.org",
    );
    has(
        &ldap("AUTH_LDAP_APPEND_DOMAIN = 'x.org'\nAUTH_LDAP_USERNAME_FORMAT = 'X-%s'"),
        "username_format: \"X-{username}@x.org\"",
    );
    assert_eq!(
        lacking(&ldap("AUTH_LDAP_USERNAME_FORMAT = '%s%s'")),
        ["3: AUTH_LDAP_USERNAME_FORMAT"]
    );
}

#[test]
fn every_key_of_fab_is_known() {
    let ldap = [
        "SERVER",
        "BIND_USER",
        "BIND_PASSWORD",
        "SEARCH",
        "SEARCH_FILTER",
        "UID_FIELD",
        "APPEND_DOMAIN",
        "USERNAME_FORMAT",
        "GROUP_FIELD",
        "FIRSTNAME_FIELD",
        "LASTNAME_FIELD",
        "EMAIL_FIELD",
        "USE_TLS",
        "ALLOW_SELF_SIGNED",
        "TLS_DEMAND",
        "TLS_CACERTDIR",
        "TLS_CACERTFILE",
        "TLS_CERTFILE",
        "TLS_KEYFILE",
        "BIND_FIRST",
        "USE_NESTED_GROUPS_FOR_ROLES",
    ];
    let general = [
        "AUTH_TYPE",
        "AUTH_ROLE_ADMIN",
        "AUTH_ROLE_PUBLIC",
        "AUTH_USERNAME_CI",
        "AUTH_USER_REGISTRATION",
        "AUTH_USER_REGISTRATION_ROLE",
        "AUTH_USER_REGISTRATION_ROLE_JMESPATH",
        "AUTH_ROLES_MAPPING",
        "AUTH_ROLES_SYNC_AT_LOGIN",
        "AUTH_GROUPS_SYNC_AT_LOGIN",
        "AUTH_AUTO_CREATE_GROUPS",
        "AUTH_API_LOGIN_ALLOW_MULTIPLE_PROVIDERS",
        "AUTH_REMOTE_USER_ENV_VAR",
        "AUTH_DB_FAKE_PASSWORD_HASH_CHECK",
        "AUTH_RATE_LIMITED",
        "AUTH_RATE_LIMIT",
        "OAUTH_PROVIDERS",
        "AUTH_OAUTH_ROLE_KEYS",
    ];
    let keys: Vec<String> = ldap.iter().map(|key| format!("AUTH_LDAP_{key}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).chain(general).collect();
    for auth in ["AUTH_DB", "AUTH_LDAP", "AUTH_OAUTH", "AUTH_REMOTE_USER"] {
        for value in ["'x'", "True", "False", "''", "None", "f()", "['x']", "7"] {
            let settings: String = keys
                .iter()
                .map(|key| format!("{key} = {value}\n"))
                .collect();
            let remarks = import(&format!("{settings}AUTH_TYPE = {auth}\n")).remarks;
            let unknown: Vec<&Remark> = remarks
                .iter()
                .filter(|remark| remark.what.contains("not known"))
                .collect();
            assert!(unknown.is_empty(), "{auth} {value}: {unknown:?}");
        }
    }
}
