//! The RFCs' own examples.

use countersign_verify::{Algorithm, Jws, Key, KeyRefusal, KeySet, Refusal, thumbprint};
use serde_json::{Value, json};

use crate::support::set;

/// RFC 7515 A.2.1 and A.3.1.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn check(key: &Value, token: &str) -> Result<(), Refusal> {
    let keys = KeySet::parse(&set(std::slice::from_ref(key))).unwrap();
    Jws::parse(token)?.verify(&keys, &Algorithm::ALL)
}

fn accepted_and_not_when_changed(key: &Value, token: &str) {
    assert_eq!(check(key, token), Ok(()));
    let mut other = token.to_owned();
    let middle = other.find('.').unwrap() + 3;
    other.replace_range(
        middle..=middle,
        if &other[middle..=middle] == "A" {
            "B"
        } else {
            "A"
        },
    );
    assert_eq!(check(key, &other), Err(Refusal::Signature));
}

#[test]
fn rfc7515_a2_rs256_is_accepted() {
    let key = json!({ "kty": "RSA", "e": "AQAB", "n": concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql",
        "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs",
        "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud",
        "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    )});
    let signature = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG",
        "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K",
        "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6",
        "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    accepted_and_not_when_changed(&key, &format!("eyJhbGciOiJSUzI1NiJ9.{JOE}.{signature}"));
}

#[test]
fn rfc7515_a3_es256_is_accepted() {
    let key = json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    accepted_and_not_when_changed(&key, &format!("eyJhbGciOiJFUzI1NiJ9.{JOE}.{signature}"));
}

/// ES512 is none of our algorithms: token and key are each refused for that.
#[test]
fn rfc7515_a4_es512_is_refused_by_name() {
    let key = json!({ "kty": "EC", "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2" });
    assert_eq!(Key::parse(&key).unwrap_err(), KeyRefusal::Curve);
    let token = concat!(
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq",
        "wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9E",
        "RBXukOXolLzeO_Jn"
    );
    let jws = Jws::parse(token).unwrap();
    assert_eq!(
        (jws.header().alg.as_str(), jws.payload()),
        ("ES512", &b"Payload"[..])
    );
    assert_eq!(check(&edwards(), token), Err(Refusal::AlgorithmUnknown));
}

fn edwards() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

#[test]
fn rfc8037_a4_eddsa_is_accepted() {
    let token = concat!(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    accepted_and_not_when_changed(&edwards(), token);
    assert_eq!(
        Jws::parse(token).unwrap().payload(),
        b"Example of Ed25519 signing"
    );
}

#[test]
fn k04_thumbprints_are_those_of_rfc7638_and_rfc8037() {
    let rsa = json!({ "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB", "n": concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK",
        "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic",
        "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3",
        "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )});
    assert_eq!(
        thumbprint(&rsa).unwrap(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(
        thumbprint(&edwards()).unwrap(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(
        thumbprint(&json!({ "kty": "RSA" })),
        Err(KeyRefusal::Member("e"))
    );
    assert_eq!(
        thumbprint(&json!({ "kty": "oct", "k": "AA" })),
        Err(KeyRefusal::Symmetric)
    );
}
