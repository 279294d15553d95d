//! Strict verification of JSON Web Tokens, and a JWKS client.
