"""Active Directory: nested groups, a password in the file, global options of libldap."""
import ldap
from airflow.configuration import conf
from flask_appbuilder.security.manager import AUTH_LDAP

SQLALCHEMY_DATABASE_URI = conf.get("database", "SQL_ALCHEMY_CONN")

ldap.set_option(ldap.OPT_REFERRALS, 0)
ldap.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_ALLOW)

AUTH_TYPE = 2
AUTH_LDAP_SERVER = 'ldaps://dc1.corp.example.com:636'
AUTH_LDAP_TLS_CACERTDIR = '/etc/ssl/certs'
AUTH_LDAP_ALLOW_SELF_SIGNED = True
AUTH_LDAP_BIND_USER = 'CN=svc airflow,OU=Service Accounts,DC=corp,DC=example,DC=com'
AUTH_LDAP_BIND_PASSWORD = 'P@ssw0rd-in-the-file'
AUTH_LDAP_SEARCH = 'DC=corp,DC=example,DC=com'
AUTH_LDAP_SEARCH_FILTER = '(memberOf:1.2.840.113556.1.4.1941:=CN=Airflow,OU=Groups,DC=corp,DC=example,DC=com)'
AUTH_LDAP_UID_FIELD = 'sAMAccountName'
AUTH_LDAP_USE_NESTED_GROUPS_FOR_ROLES = True
AUTH_LDAP_BIND_FIRST = True

AUTH_ROLE_ADMIN = 'Admin'
AUTH_ROLE_PUBLIC = 'Viewer'
AUTH_USER_REGISTRATION = True
AUTH_ROLES_MAPPING = dict(
    admins=["Admin"],
)
if conf.getboolean("webserver", "rbac_sync"):
    AUTH_ROLES_SYNC_AT_LOGIN = True
