"""Checks tokens as a Python service would: with PyJWT, or with joserfc.

    verify.py pyjwt|joserfc  < cases.json > verdicts.json

A case is {"name", "token", "jwks" (URL), "algorithm", "issuer", "audience"}; with "until_refused" it is asked again
until the token is refused, at most ten seconds. A verdict is {"claims": {...}} or {"refused": "NameOfTheError"}.
"""

import json
import sys
import time
import urllib.request
import warnings


def pyjwt(case):
    import jwt

    key = jwt.PyJWKClient(case["jwks"]).get_signing_key_from_jwt(case["token"])
    return jwt.decode(
        case["token"],
        key,
        algorithms=[case["algorithm"]],
        audience=case["audience"],
        issuer=case["issuer"],
        options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub"]},
    )


def joserfc(case):
    from joserfc import jwt
    from joserfc.jwk import KeySet

    # RFC 9864 has a new name for EdDSA; nearly everybody still has the old one.
    warnings.filterwarnings("ignore", message="EdDSA is deprecated")
    with urllib.request.urlopen(case["jwks"], timeout=10) as answer:
        keys = KeySet.import_key_set(json.load(answer))
    token = jwt.decode(case["token"], keys, algorithms=[case["algorithm"]])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": case["issuer"]},
        aud={"essential": True, "value": case["audience"]},
        exp={"essential": True},
    )
    rules.validate(token.claims)
    return token.claims


def verdict(library, case):
    end = time.monotonic() + 10
    while True:
        try:
            accepted = {"claims": library(case)}
        except Exception as error:
            return {"refused": type(error).__name__}
        if not case.get("until_refused") or time.monotonic() > end:
            return accepted


library = {"pyjwt": pyjwt, "joserfc": joserfc}[sys.argv[1]]
json.dump({case["name"]: verdict(library, case) for case in json.load(sys.stdin)}, sys.stdout)
