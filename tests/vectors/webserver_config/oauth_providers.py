"""The providers of Flask-AppBuilder's documentation, and a few of other people's files."""
import os

from flask_appbuilder.security.manager import AUTH_OAUTH

AUTH_TYPE = AUTH_OAUTH
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = "Public"
AUTH_ROLES_SYNC_AT_LOGIN = True
AUTH_ROLES_MAPPING = {"airflow-admins": ["Admin"], "airflow-users": ["User", "Viewer"]}
AUTH_OAUTH_ROLE_KEYS = {"azure": "groups"}

OAUTH_PROVIDERS = [
    {
        "name": "google",
        "icon": "fa-google",
        "token_key": "access_token",
        "whitelist": ["@example.com", r"^[^@]+@example\.org$"],
        "remote_app": {
            "client_id": os.environ.get("GOOGLE_KEY"),
            "client_secret": os.environ.get("GOOGLE_SECRET"),
            "api_base_url": "https://www.googleapis.com/oauth2/v2/",
            "client_kwargs": {"scope": "email profile"},
            "request_token_url": None,
            "access_token_url": "https://accounts.google.com/o/oauth2/token",
            "authorize_url": "https://accounts.google.com/o/oauth2/auth",
            "authorize_params": {"hd": "example.com"},
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        },
    },
    {
        "name": "azure",
        "icon": "fa-windows",
        "token_key": "access_token",
        "remote_app": {
            "client_id": "0000-azure",
            "client_secret": os.environ["AZURE_SECRET"],
            "api_base_url": "https://login.microsoftonline.com/9f0b1c2d-0000-4000-8000-0123456789ab/oauth2",
            "client_kwargs": {
                "scope": "User.read name preferred_username email profile upn",
                "resource": "0000-azure",
                "verify_signature": False,
            },
            "request_token_url": None,
            "access_token_url": "https://login.microsoftonline.com/9f0b1c2d-0000-4000-8000-0123456789ab/oauth2/token",
            "authorize_url": "https://login.microsoftonline.com/9f0b1c2d-0000-4000-8000-0123456789ab/oauth2/authorize",
        },
    },
    {
        "name": "okta",
        "token_key": "access_token",
        "remote_app": {
            "client_id": "okta-client",
            "client_secret": os.environ["OKTA_SECRET"],
            "api_base_url": "https://example.okta.com/oauth2/default/v1/",
            "client_kwargs": {"scope": "openid profile email groups", "code_challenge_method": "S256"},
            "access_token_url": "https://example.okta.com/oauth2/default/v1/token",
            "authorize_url": "https://example.okta.com/oauth2/default/v1/authorize",
            "server_metadata_url": "https://example.okta.com/oauth2/default/.well-known/openid-configuration",
        },
    },
    {
        "name": "auth0",
        "token_key": "access_token",
        "remote_app": {
            "client_id": "auth0-client",
            "client_secret": os.environ["AUTH0_SECRET"],
            "api_base_url": "https://example.eu.auth0.com",
            "client_kwargs": {"scope": "openid profile email", "token_endpoint_auth_method": "client_secret_post"},
            "server_metadata_url": "https://example.eu.auth0.com/.well-known/openid-configuration",
        },
    },
    {
        "name": "authentik",
        "token_key": "access_token",
        "remote_app": {
            "client_id": "authentik-client",
            "client_secret": os.environ["AUTHENTIK_SECRET"],
            "api_base_url": "https://authentik.example.com",
            "client_kwargs": {"scope": "openid profile email", "verify_signature": True},
            "server_metadata_url": (
                "https://authentik.example.com/application/o/airflow/.well-known/openid-configuration"
            ),
        },
    },
    {
        "name": "corp-sso",
        "token_key": "access_token",
        "whitelist": ["example.com"],
        "remote_app": {
            "client_id": "airflow",
            "client_secret": os.environ["CORP_SECRET"],
            "client_kwargs": {"scope": "openid", "code_challenge_method": None},
            "userinfo_endpoint": "https://sso.example.com/userinfo",
            "jwks_uri": "https://sso.example.com/keys",
            "access_token_url": "https://sso.example.com/token",
            "authorize_url": "https://sso.example.com/authorize",
            "access_token_headers": {"Authorization": "Basic very-secret"},
        },
    },
    {"name": "twitter", "remote_app": {"consumer_key": "very-secret"}},
]
