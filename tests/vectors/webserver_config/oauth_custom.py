"""Keycloak, and a class of one's own, after Airflow's documentation."""
from __future__ import annotations

import logging
import os
from typing import Any

from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride
from flask_appbuilder.security.manager import AUTH_OAUTH

log = logging.getLogger(__name__)
log.setLevel(os.getenv("AIRFLOW__LOGGING__FAB_LOGGING_LEVEL", "INFO"))

AUTH_TYPE = AUTH_OAUTH
AUTH_ROLES_SYNC_AT_LOGIN = True
AUTH_USER_REGISTRATION = True
AUTH_ROLES_MAPPING = {
    "Viewer": ["Viewer"],
    "Admin": ["Admin"],
}
PROVIDER = "keycloak"
OIDC = f"https://sso.example.com/realms/{PROVIDER}"

OAUTH_PROVIDERS = [
    {
        "name": PROVIDER,
        "icon": "fa-key",
        "token_key": "access_token",
        "whitelist": ["@example.com"],
        "remote_app": {
            "client_id": os.environ.get("OAUTH_CLIENT_ID", "airflow"),
            "client_secret": "very-secret-in-the-file",
            "api_base_url": "https://sso.example.com/realms/x/protocol/",
            "client_kwargs": {"scope": "email profile"},
            "access_token_url": OIDC + "/protocol/openid-connect/token",
            "request_token_url": None,
        },
    },
    {"name": "github", "remote_app": {"client_id": "gh", "client_secret": os.environ["GH_SECRET"]}},
]


class CustomSecurityManager(FabAirflowSecurityManagerOverride):
    def get_oauth_user_info(self, provider: str, resp: Any) -> dict[str, str | list[str]]:
        AUTH_TYPE = 1  # a name of the method's own
        return {"username": "github_" + resp["login"], "role_keys": ["Viewer"]}


FAB_SECURITY_MANAGER_CLASS = "webserver_config.CustomSecurityManager"
SECURITY_MANAGER_CLASS = CustomSecurityManager
